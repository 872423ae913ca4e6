"""Why two photographs are similar: what each pair of their regions adds to the similarity."""
