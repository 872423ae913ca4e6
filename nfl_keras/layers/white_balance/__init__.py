"""The two ways of giving a photograph another white balance.

Both have `draw`, from uniform numbers to what is to be rendered, `as_draws`, the same from what a
caller states, `render`, from images and such draws to images, and `description`, some words.
"""
