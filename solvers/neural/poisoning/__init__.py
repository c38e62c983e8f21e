"""What label-flip poisoning needs of torch: a sentence encoder."""
