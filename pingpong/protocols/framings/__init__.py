"""Ways to find where a unit ends that several families share, one file each."""
