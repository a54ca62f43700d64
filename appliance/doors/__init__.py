"""Ways to the console from elsewhere: a browser, and SSH."""
