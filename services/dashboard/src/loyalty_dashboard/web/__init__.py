"""What every page has: who is signed in, language, forms, errors, headers, files."""
