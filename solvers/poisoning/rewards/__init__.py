"""What labels teach: the linear reward of a Bradley-Terry loss, in floats, exactly, enclosed."""
