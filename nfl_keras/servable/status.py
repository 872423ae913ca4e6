"""The codes that the output `status` gives to each image of a request."""

from nfl_keras.data.decoding import photograph_error

OK, NOT_AN_IMAGE, DAMAGED, TOO_LARGE, EMPTY, UNSUPPORTED, NO_DIRECTION, TOO_COSTLY = range(8)

MESSAGES = {
    OK: "embedded",
    NOT_AN_IMAGE: photograph_error.NOT_AN_IMAGE,
    DAMAGED: photograph_error.DAMAGED,
    TOO_LARGE: photograph_error.TOO_LARGE,
    EMPTY: photograph_error.EMPTY,
    UNSUPPORTED: "a GIF, TIFF, animated WebP or rare BMP; send a JPEG, PNG or still WebP",
    NO_DIRECTION: photograph_error.NO_DIRECTION,
    TOO_COSTLY: photograph_error.TOO_COSTLY,
}
