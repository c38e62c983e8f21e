"""What needs torch.  Nothing else loads it, and nothing here is loaded unless asked for."""
