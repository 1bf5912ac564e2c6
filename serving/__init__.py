"""A champion bundle in, answers to the CRM and the weekly page out."""
