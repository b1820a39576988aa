"""Where rows become columns: gathering, scaling and encoding of data points."""
