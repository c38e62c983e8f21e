"""Where preference data come from: flips, rewards, taught rewards, answers."""
