"""Re-ranking: a second look at a ranking, by what the gallery's own neighborhoods say."""
