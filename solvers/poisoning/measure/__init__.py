"""One attack on one data set, measured: `measurement`; on made-up data: `synthetic`."""
