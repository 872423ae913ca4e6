"""The codes that the output `status` gives to each image of a request."""

OK, NOT_AN_IMAGE, DAMAGED, TOO_LARGE, EMPTY, UNSUPPORTED = range(6)

MESSAGES = {
    OK: "embedded",
    NOT_AN_IMAGE: "not an image, or of an unknown format",
    DAMAGED: "truncated or damaged",
    TOO_LARGE: "declares too many pixels",
    EMPTY: "empty, zero bytes",
    UNSUPPORTED: "unsupported: a GIF or an animated WebP; send a JPEG, PNG or still WebP",
}
