"""What *Run it here* is made of: which pages qualify, and the two files that run them."""
