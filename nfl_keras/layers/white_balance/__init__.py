"""The two renderings of an image with another white balance.

Each has four members: `draw` turns uniform numbers into draws, `as_draws` turns a caller's style
into draws, `render` changes images by draws, and `description` describes the rendering.
"""
