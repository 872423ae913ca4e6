"""What the output `status` says of each image of a request."""

OK = 0
NOT_AN_IMAGE = 1
DAMAGED = 2
TOO_LARGE = 3
EMPTY = 4

MESSAGES = {
    OK: "embedded",
    NOT_AN_IMAGE: "not an image, or of a format that is not read",
    DAMAGED: "truncated or damaged",
    TOO_LARGE: "declares too many pixels, or is too long for its width",
    EMPTY: "empty, zero bytes",
}
