import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.losses.closed_form import closed_form


def in_a_graph(function):
    return tf.function(function, autograph=False)


def compiled(function):
    return tf.function(function, autograph=False, jit_compile=True)


@pytest.mark.parametrize("wrapped", [lambda function: function, in_a_graph, compiled])
def test_gradient_is_the_one_that_was_given(wrapped):
    # 7 x is not the derivative of x^2: no other could be mistaken for it.
    square = closed_form(lambda x: (x**2, lambda upstream: upstream * 7 * x))

    def value_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = 10 * square(2 * x)
        return value, tape.gradient(value, x)

    value, gradient = wrapped(value_and_gradient)(tf.constant([1.0, 3.0]))
    np.testing.assert_allclose(value, [40, 360])
    np.testing.assert_allclose(gradient, [10 * 7 * 2 * 2, 10 * 7 * 6 * 2])


@pytest.mark.parametrize("wrapped", [lambda function: function, in_a_graph, compiled])
def test_each_input_has_its_own_gradient(wrapped):
    product = closed_form(lambda x, y: (x * y, lambda upstream: (upstream * 5, upstream * y)))

    def gradients(x, y):
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            value = product(x, y)
        return tape.gradient(value, [x, y])

    of_x, of_y = wrapped(gradients)(tf.constant([2.0, 3.0]), tf.constant([11.0, 13.0]))
    np.testing.assert_allclose(of_x, [5, 5])
    np.testing.assert_allclose(of_y, [11, 13])
