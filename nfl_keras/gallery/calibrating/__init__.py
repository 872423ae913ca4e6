"""The similarity from which on an answer is a match, learned from labeled photographs."""
