import numpy as np
from keras import ops

from nfl_keras.losses.custom_gradient import custom_gradient


def test_gradient_is_the_one_that_was_given(compiled, value_and_gradients):
    # 7 x is not the derivative of x^2: no other could be mistaken for it.
    square = custom_gradient(lambda x: (x**2, lambda upstream: upstream * 7 * x))
    step = value_and_gradients(lambda x: ops.sum(10 * square(2 * x)))
    value, [gradient] = compiled(step)(ops.convert_to_tensor([1.0, 3.0]))
    np.testing.assert_allclose(value, 40 + 360)
    np.testing.assert_allclose(gradient, [10 * 7 * 2 * 2, 10 * 7 * 6 * 2])


def test_output_is_that_of_the_function():
    square = custom_gradient(lambda x: (x**2, lambda upstream: upstream * 7 * x))
    np.testing.assert_allclose(square(ops.convert_to_tensor([2.0, 6.0])), [4, 36])


def test_each_input_has_its_own_gradient(compiled, value_and_gradients):
    product = custom_gradient(lambda x, y: (x * y, lambda upstream: (upstream * 5, upstream * y)))
    step = value_and_gradients(lambda x, y: ops.sum(product(x, y)))
    inputs = [ops.convert_to_tensor(x) for x in ([2.0, 3.0], [11.0, 13.0])]
    _, (of_x, of_y) = compiled(step)(*inputs)
    np.testing.assert_allclose(of_x, [5, 5])
    np.testing.assert_allclose(of_y, [11, 13])


def test_integers_that_are_closed_over_may_come_from_a_traced_input(compiled, value_and_gradients):
    def total(x, powers):
        powers = ops.cast(powers, "float32")
        power = custom_gradient(lambda x: (x**powers, lambda upstream: upstream * powers))
        return ops.sum(power(x))

    inputs = ops.convert_to_tensor([2.0, 3.0]), ops.convert_to_tensor([1, 3])
    value, [gradient] = compiled(value_and_gradients(total))(*inputs)
    np.testing.assert_allclose(value, 2 + 27)
    np.testing.assert_allclose(gradient, [1, 3])


def test_only_what_the_gradient_uses_is_kept(largest_kept):
    def forward(x):
        distances = (x[:, None] - x) ** 2
        nearest = ops.min(distances + 1e9 * ops.eye(len(x)), axis=1)
        return nearest, lambda upstream: upstream * nearest

    x = ops.convert_to_tensor(np.arange(50, dtype="float32"))
    assert largest_kept(custom_gradient(forward), x) <= 50
    assert largest_kept(lambda x: forward(x)[0], x) == 50 * 50
