"""What two services of the suite must agree on; services call it, it never calls them."""
