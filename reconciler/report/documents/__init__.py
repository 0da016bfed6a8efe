"""What programs read: values as JSON documents. The published schemas describe exactly these."""
