"""History in, a proven challenger out."""
