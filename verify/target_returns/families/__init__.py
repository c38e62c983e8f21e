"""Where processes, designs and data for target returns come from."""
