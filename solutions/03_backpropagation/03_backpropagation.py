# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 03 · Backpropagation
#
# After this lesson you can
#
# - **measure** a gradient, and **check** any backward pass against the measurement;
# - **walk** a computation graph forwards and backwards by hand, shared weights included;
# - **write** the backward pass of layers, of a loss, and of a whole network;
# - **build** numbers that differentiate themselves;
# - **count** what all this costs in work and in memory, and **train** a network with your own backward pass.

# %% [markdown]
# **Time:** about 3½ hours, in three or four sittings, and an hour more with the exercises marked *optional, for the
# proud*. Every section says how long it takes. Good places to stop: after sections 3, 6 and 10. Next time, select the
# cell where you stopped and choose *Run All Above*: your answers are kept.
#
# **Builds on:** lessons 01 and 02. You need their vocabulary, not your answers.

# %% [markdown]
# **How it works.** As before: a section explains, shows an example, and says **Your turn**. Write your code where the
# cell says `YOUR CODE HERE`, run it, and run the check below it. Stuck? Open one hint, not three. The boxes **What is
# wrong here?** quote slips from circulating course notes.

# %% [markdown]
# **Your turn:** run the next cell. It prepares the lesson; there is nothing to write.

# %%
import time

import numpy as np
import torch
import torch.nn.functional as functional
from IPython.display import display
from scipy.special import expit  # SciPy's sigmoid, as in lessons 01 and 02

from course_lib import check, exam_numbers, exam_sheet, ready
from course_lib.data import CORNERS, XOR, load_digits
from course_lib.numpy_kernels import kaiming_uniform  # lesson 02's start
from course_lib.plots import backpropagation as plots
from course_lib.widgets.differences import StepSize
from course_lib.widgets.graphs import GradientFlow, GraphStepper

LEARNER = "self-study"
SEED = 1
torch.set_num_threads(1)  # networks this small only lose time when threads wait for each other
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
print("Torch will use", "the graphics card." if DEVICE == "cuda" else "the processor: enough for every cell here.")

# %% [markdown]
# ## 1 · Measure a slope
#
# *20 minutes.* Before we compute gradients cleverly, we measure them. It is slow and never exact, but it needs no
# calculus: an honest referee for everything else in this lesson.

# %% [markdown]
# ### Central differences
#
# In lesson 01 you nudged a weight up and down. With a step $h$ there are two ways to do that:
#
# $$\underbrace{\frac{f(x+h) - f(x)}{h}}_{\text{one-sided}} \qquad
# \underbrace{\frac{f(x+h) - f(x-h)}{2h}}_{\text{central}} .$$
#
# Taylor's formula tells them apart. The first is wrong by about $\tfrac h2 f''(x)$, the second by about
# $\tfrac{h^2}{6} f'''(x)$: half the step, a quarter of the error.

# %%
plots.difference_quotients(0.5)

# %% [markdown]
# **Worked example.** $f(x) = x^3$ at $x = 2$, where the slope is 12. With $h = 0.1$:
#
# $$\frac{2.1^3 - 2^3}{0.1} = 12.61, \qquad \frac{2.1^3 - 1.9^3}{0.2} = 12.01 .$$
#
# For a cubic the central error is exactly $h^2$ times the factor in front.

# %%
for step in (0.1, 0.05):
    one_sided, central = ((2 + step) ** 3 - 8) / step, ((2 + step) ** 3 - (2 - step) ** 3) / (2 * step)
    print(f"h = {step}: one-sided {one_sided:.4f}, central {central:.4f}")

# %% [markdown]
# A function of many numbers has one slope per number: nudge **one entry at a time**, put it back, go on to the next.
# Slopes are small differences of large numbers, so they are measured in float64, whatever the dtype of `x`: with the
# default $h = 10^{-5}$, float32 would return mostly noise.
#
# **Your turn: `numerical_gradient`** (3 points). Any shape, even a single number without axes.


# %% nbgrader={"grade": false, "grade_id": "numerical_gradient", "solution": true}
def numerical_gradient(f, x, h=1e-5):
    """The gradient of f at x by central differences, one entry after the other.

    Args:
        f: a function that takes an array of the shape of x, in float64, and returns a number.
        x: where, any shape, also 0-d, float32 or float64; must not be changed.
        h: the step, a positive number.

    Returns:
        gradient: shape and dtype of x.
    """
    ### BEGIN SOLUTION
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        ahead, behind = x.astype(np.float64), x.astype(np.float64)
        ahead[index] += h
        behind[index] -= h
        gradient[index] = (f(ahead) - f(behind)) / (2 * h)
    return gradient.astype(x.dtype)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: every entry, whatever the shape</summary>
#
# `for index in np.ndindex(x.shape)` visits each entry of an array of any shape; `x[index]` is that entry.
#
# <details><summary>Hint 2: copies</summary>
#
# `x.astype(np.float64)` always makes a new array. Make two: one for $x + h$, one for $x - h$. Then nothing has to be
# put back.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Start from `np.zeros(x.shape)`. For each index change the entry in both copies, and store the difference of the two
# values of `f`, divided by `(2 * h)`: mind the brackets. Return `gradient.astype(x.dtype)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_numerical_gradient", "points": 3, "solution": false}
check("numerical_gradient", numerical_gradient)

# %% [markdown]
# ### Which step?
#
# A smaller $h$ makes the formula better and the computer worse. A float64 keeps about 16 digits; $f(x+h)$ and $f(x-h)$
# agree in most of them, and the subtraction leaves only noise of about $10^{-16}/h$. Formula and noise together give a
# curve like a U.
#
# **Look.** **Predict** the best step first. Then reach both goals.

# %%
StepSize()

# %% [markdown]
# The best central step is near $10^{-5}$, where the two errors balance: $h^2 \approx 10^{-16}/h$. So that is the
# default of `numerical_gradient`. In float32 noise starts at $10^{-7}$ already, which is why the measurement is made
# in float64.

# %% [markdown]
# ## 2 · Gradient checks
#
# *10 minutes.* Two gradients never agree to the last digit. When are they close enough?

# %% [markdown]
# ### Relative error
#
# A difference of 0.001 is nothing beside 1000 and a disaster beside 0.002. So divide by the size of both numbers,
# entry by entry, and report the **worst** entry:
#
# $$\max_i \frac{|a_i - b_i|}{\max(|a_i| + |b_i|,\; \text{floor})} .$$
#
# It is 0 for equal numbers and 1 for opposite signs. The floor, $10^{-8}$, says: where both are about 0 they agree.

# %% [markdown]
# **Worked example.** $a = (1, 3)$ and $b = (1, 1)$: the quotients are $0/2$ and $2/4$, so the relative error is 0.5.
# The mean would be 0.25, and with a thousand entries 0.0005: one wrong entry must not hide among right ones.
#
# **Rule of thumb in float64:** below $10^{-7}$ good, above $10^{-2}$ a bug, in between look closer: a kink, perhaps.

# %% [markdown]
# **Your turn: `relative_error`** (2 points).


# %% nbgrader={"grade": false, "grade_id": "relative_error", "solution": true}
def relative_error(a, b, floor=1e-8):
    """How far two arrays are apart at their worst entry, from 0 (equal) to 1 (opposite signs).

    Args:
        a: any shape with at least one entry, float.
        b: same shape and dtype.
        floor: the smallest number to divide by, positive.

    Returns:
        error: the largest |a - b| / max(|a| + |b|, floor), one number of the dtype of a.
    """
    ### BEGIN SOLUTION
    apart = np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), a.dtype.type(floor))
    return apart.max()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: the order</summary>
#
# Divide entry by entry first. Take the largest quotient at the end.
#
# <details><summary>Hint 2: the floor</summary>
#
# `np.maximum(array, number)` replaces every entry below the number by the number. `np.max(array)` is something else.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# The largest entry of `np.abs(a - b)` divided by `np.maximum(np.abs(a) + np.abs(b), floor)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_relative_error", "points": 2, "solution": false}
check("relative_error", relative_error)

# %% [markdown]
# **Look.** $|x|$ has slopes $-1$ and $+1$ and a kink at 0. **Predict** what the measurement says at $x = 1$ and at
# $x = 0.000003$, which lies nearer to the kink than the step $h = 10^{-5}$.

# %%
if ready(numerical_gradient=numerical_gradient, relative_error=relative_error):
    near_kink = np.array([1.0, 3e-6])
    measured = numerical_gradient(lambda values: np.abs(values).sum(), near_kink)
    print("measured", measured.round(6), "relative error", relative_error(measured, np.sign(near_kink)).round(3))

# %% [markdown]
# The nudge jumped over the kink and measured $(1.3 - 0.7)/2 = 0.3$, somewhere between the slopes $-1$ and $+1$.
# Nothing is wrong with the gradient 1: the *check* fails there. With ReLU networks this happens now and then; repeat
# the check at another point.

# %% [markdown]
# ## 3 · Computation graphs
#
# *20 minutes.* A formula is a plan: small steps, each with a name, in an order. Drawn with arrows it is a
# **computation graph**, and the way back through it is this whole lesson in one picture.

# %% [markdown]
# ### Forward and backward
#
# **Forward:** each node computes its value from its sources. **Backward:** each node receives the derivative of the
# final result by its own value, the **upstream** gradient, and gives every source
#
# $$\text{upstream} \times \text{local derivative}.$$
#
# It starts with 1 at the result: $\partial f/\partial f = 1$. No node needs to know the rest of the graph.

# %% [markdown]
# Three local rules cover most graphs.
#
# | Node | Local derivatives | In words |
# |---|---|---|
# | $u + v$ | 1 and 1 | a sum passes its upstream on to all |
# | $u \cdot v$ | $v$ and $u$ | a product hands each factor the *other* one |
# | $\operatorname{ReLU}(u)$ | 1 if $u > 0$, else 0 | an open gate passes, a closed gate does not; at 0 it is closed |

# %% [markdown]
# ### The exam graph and its shared weight
#
# A classic exam question:
#
# $$f = w_3 \cdot \operatorname{ReLU}(w_1 x_1 + w_1 x_2 + b) .$$
#
# It is a tiny network in which both inputs share one weight. Take $x_1 = 1$, $x_2 = -2$, $w_1 = -3$, $b = -1$,
# $w_3 = 5$. **Forward**, with a name for each step:
#
# $$p = -3, \quad q = 6, \quad z = p + q + b = 2, \quad r = 2, \quad f = 10 .$$

# %%
exam_values = {"x1": 1, "w1": -3, "x2": -2, "b": -1, "w3": 5, "p": -3, "q": 6, "z": 2, "r": 2, "f": 10}
plots.exam_graph(exam_values)

# %% [markdown]
# **Backward.** From $f$ to $w_3$: the other factor, $r = 2$. From $f$ to $r$: $w_3 = 5$. The gate is open, so $z$
# gets 5 too, and so do $p$, $q$ and $b$. From $p$: $x_1$ gets $5 \cdot (-3) = -15$, and $w_1$ gets $5 \cdot 1 = 5$.
# From $q$: $x_2$ gets $-15$, and $w_1$ gets $5 \cdot (-2) = -10$.

# %%
exam_flows = {("f", "r"): 5, ("f", "w3"): 2, ("r", "z"): 5, ("z", "p"): 5, ("z", "q"): 5, ("z", "b"): 5}
exam_flows |= {("p", "x1"): -15, ("p", "w1"): 5, ("q", "w1"): -10, ("q", "x2"): -15}
plots.exam_graph(exam_values, exam_flows)

# %% [markdown]
# Two arrows arrive at $w_1$. Move $w_1$ a little and *both* products move: the effects **add up**,
#
# $$\frac{\partial f}{\partial w_1} = 5 + (-10) = -5 .$$
#
# This is the chain rule for several paths: **a value that is used several times gets the sum of what comes back.**
# Biases shared by a batch, filters of an image (lesson 06) and words of a text (lesson 09) all live by this rule.

# %%
leaves = [torch.tensor(float(exam_values[name]), requires_grad=True) for name in ("x1", "x2", "w1", "w3", "b")]
exam_result = leaves[3] * torch.relu(leaves[2] * leaves[0] + leaves[2] * leaves[1] + leaves[4])
print([float(part) for part in torch.autograd.grad(exam_result, leaves)])

# %% [markdown]
# **Your turn: `exam_graph_gradient`** (2 points). For any five numbers. If the score is exactly 0, the slope of the
# ReLU is 0, as always in this course.


# %% nbgrader={"grade": false, "grade_id": "exam_graph_gradient", "solution": true}
def exam_graph_gradient(x1, x2, w1, w3, b):
    """Gradient of f = w3 * ReLU(w1 * x1 + w1 * x2 + b) by all five numbers.

    Args:
        x1: first input, a number.
        x2: second input.
        w1: weight that both inputs share.
        w3: weight of the output of the ReLU.
        b: bias.

    Returns:
        dx1, dx2, dw1, dw3, db: five numbers; the ReLU has slope 0 where its input is exactly 0.
    """
    ### BEGIN SOLUTION
    z = w1 * x1 + w1 * x2 + b
    dz = w3 * (z > 0)
    return dz * w1, dz * w1, dz * x1 + dz * x2, max(z, 0.0), dz
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: forward first</summary>
#
# The way back needs the score $z$, to know whether the gate is open, and $r$.
#
# <details><summary>Hint 2: one number carries most of it</summary>
#
# Let `dz` be what arrives at the sum: $w_3$ if $z > 0$, otherwise 0. Four of the five answers are `dz` times
# something.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `dz * w1` for both inputs; for $w_1$ two paths that add up; for $w_3$ the other factor of the last product; and `dz`
# itself for the bias.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_exam_graph_gradient", "points": 2, "solution": false}
check("exam_graph_gradient", exam_graph_gradient)

# %% [markdown]
# **Look.** The same graph with your own numbers, one step at a time. It asks for a prediction first, and then sets two
# goals.

# %%
GraphStepper(x1=1, x2=-2, w1=-3, w3=5, b=-1)

# %% [markdown]
# ## 4 · Vectors instead of numbers
#
# *12 minutes.* Real nodes hold arrays. The rule stays "upstream times local", but the local derivative is now a table.

# %% [markdown]
# ### The chain rule as vector-Jacobian products
#
# A node $y = g(x)$ with $n$ inputs and $m$ outputs has the **Jacobian** $J$ of shape $(m, n)$, with
# $J_{ij} = \partial y_i / \partial x_j$. If $v = \partial L/\partial y$ arrives as a row of $m$ numbers, then
#
# $$\frac{\partial L}{\partial x} = v\,J, \qquad
# \frac{\partial L}{\partial x_j} = \sum_{i} v_i\,\frac{\partial y_i}{\partial x_j} :$$
#
# a **vector-Jacobian product**. The sum over $i$ is again "several paths add up".

# %% [markdown]
# **Worked example.** $y_1 = x_1 x_2$ and $y_2 = x_1^2$ at $x = (3, 2)$, with $v = (10, 1)$:
#
# $$J = \begin{pmatrix} x_2 & x_1 \\ 2 x_1 & 0 \end{pmatrix} = \begin{pmatrix} 2 & 3 \\ 6 & 0 \end{pmatrix},
# \qquad v\,J = (10 \cdot 2 + 1 \cdot 6,\; 10 \cdot 3 + 0) = (26, 30).$$

# %%
pair = torch.tensor([3.0, 2.0], requires_grad=True)
both = torch.stack([pair[0] * pair[1], pair[0] ** 2])
print(torch.autograd.grad(both, pair, torch.tensor([10.0, 1.0]))[0].tolist())

# %% [markdown]
# **Why from the end?** A chain of layers gives $v\,J_K \cdots J_2\,J_1$. Brackets do not change the result, but they
# change the work. From the left every product is a *row* times a matrix. From the right, whole matrices are
# multiplied. The loss is one number, so the left end is short: going backward is cheap.
#
# In the picture $x$ has 6 entries, the layer behind it 5, the last one 4: $J_1$ is 5×6, $J_2$ is 4×5, $v$ is 1×4. An
# $a$×$b$ matrix times a $b$×$c$ matrix takes $a \cdot b \cdot c$ multiplications.

# %%
plots.product_orders([6, 5, 4])

# %% [markdown]
# **And the Jacobian is never built.** A ReLU on a batch of 32 with 200 units has 6,400 inputs and outputs: its
# Jacobian would hold 40,960,000 numbers, all of them 0 off the diagonal. The product $v\,J$ is just `dout * (x > 0)`.
# A backward pass of this course is exactly that: a function from $v$, called `dout`, to $v\,J$.
#
# *Quick test.* What is $v\,J$ for $y = 3x$ with a vector $x$?
# <details><summary>Answer</summary>
#
# $J$ is 3 times the identity, so $v\,J = 3v$. No matrix in sight.
# </details>

# %% [markdown]
# ## 5 · The dense layer, backward
#
# *12 minutes.* `out = x @ w.T + b` has three inputs, so three gradients go back.

# %% [markdown]
# One entry: $o_{nm} = \sum_d x_{nd}\, w_{md} + b_m$. Follow each symbol to all places where it is used, and add up:
#
# $$\frac{\partial L}{\partial x_{nd}} = \sum_m g_{nm}\, w_{md}, \qquad
# \frac{\partial L}{\partial w_{md}} = \sum_n g_{nm}\, x_{nd}, \qquad
# \frac{\partial L}{\partial b_m} = \sum_n g_{nm},$$
#
# where $g = \partial L/\partial o$ is what the code calls `dout`. An input meets all $M$ neurons; a weight and a bias
# meet all $N$ examples.

# %% [markdown]
# **Worked example.** One neuron $w = (3, 4)$, two examples $x = (1, 2)$ and $(5, 0)$, and $g = (10, -1)$ comes back:
#
# - $\partial L/\partial x$: rows $10 \cdot (3, 4) = (30, 40)$ and $-1 \cdot (3, 4) = (-3, -4)$;
# - $\partial L/\partial w = 10 \cdot (1, 2) - 1 \cdot (5, 0) = (5, 20)$;
# - $\partial L/\partial b = 10 - 1 = 9$: the sum, *not* the mean. A mean belongs to the loss, and is in $g$ already.

# %%
rows, neuron, offset = torch.tensor([[1.0, 2], [5, 0]]), torch.tensor([[3.0, 4]]), torch.zeros(1)
tracked = [item.requires_grad_() for item in (rows, neuron, offset)]
arriving = torch.tensor([[10.0], [-1.0]])
print([part.tolist() for part in torch.autograd.grad(functional.linear(*tracked), tracked, arriving)])

# %% [markdown]
# **Your turn: `affine_backward`** (2 points). Two matrix products and a sum, no loop. Return the gradients in the
# order of the arguments of `affine_forward`: x, w, b.


# %% nbgrader={"grade": false, "grade_id": "affine_backward", "solution": true}
def affine_backward(dout, cache):
    """Gradients of a dense layer out = x @ w.T + b.

    Args:
        dout: gradient by the output, shape (N, M), float; must not be changed.
        cache: the tuple (x, w, b) from affine_forward: shapes (N, D), (M, D), (M,); must not be changed.

    Returns:
        dx: shape (N, D).
        dw: shape (M, D), summed over the examples.
        db: shape (M,), summed over the examples.
    """
    ### BEGIN SOLUTION
    x, w, _ = cache
    return dout @ w, dout.T @ x, dout.sum(axis=0)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: let shapes guide you</summary>
#
# A gradient has the shape of what it belongs to. From (N, M) and (M, D) there is one way to (N, D).
#
# <details><summary>Hint 2: the weights</summary>
#
# $\sum_n g_{nm} x_{nd}$ sums over the *rows* of both arrays: turn the first one, (M, N) times (N, D).
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Unpack the cache. Then `dout @ w`, then `dout.T @` something, then a sum along axis 0.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_affine_backward", "points": 2, "solution": false}
check("affine_backward", affine_backward)

# %% [markdown]
# **Look: a gradient check.** Your layer, your referee. The trick for arrays: draw a random `dout` and measure the
# slope of the *number* $\sum \text{dout} \cdot \text{out}$. **Predict:** are the errors nearer to $10^{-2}$ or to
# $10^{-10}$?

# %%
if ready(numerical_gradient=numerical_gradient, relative_error=relative_error, affine_backward=affine_backward):
    drawn = np.random.default_rng(SEED)
    kept_layer = tuple(drawn.normal(size=size) for size in ((5, 3), (2, 3), (2,)))
    random_dout = drawn.normal(size=(5, 2))
    for place, returned in enumerate(affine_backward(random_dout, kept_layer)):

        def objective(moved, place=place):
            """The number whose slope is measured, as a function of one of the three arrays."""
            x, w, b = (*kept_layer[:place], moved, *kept_layer[place + 1 :])
            return (random_dout * (x @ w.T + b)).sum()

        worst = relative_error(returned, numerical_gradient(objective, kept_layer[place]))
        print(("dx", "dw", "db")[place], f"relative error {worst:.0e}")

# %% [markdown]
# Random, not ones: with `dout` all ones, a turned or averaged gradient can look right by accident.
#
# **Count it yourself.** Forward, the layer takes $N \cdot D \cdot M$ multiply-adds. How many take `dx` and `dw`?
# <details><summary>Answer</summary>
#
# $N \cdot M \cdot D$ each, so going back costs *twice* the way forward, and a whole step three times. The first layer
# is cheaper: nobody needs the gradient by the data, so its `dx` can be left out.
# </details>

# %% [markdown]
# ## 6 · The loss, backward
#
# *20 minutes.* Every way back starts at the loss. In lesson 02 you found $p - y$ for softmax and cross-entropy. Now
# both become one layer with a cache.

# %% [markdown]
# ### Forward, with a cache
#
# With $m_n$ the largest score of row $n$, let $e_{nj} = \exp(z_{nj} - m_n)$ and $t_n = \sum_j e_{nj}$. Then
#
# $$L = \frac1N \sum_n \Bigl( \ln t_n - (z_{n y_n} - m_n) \Bigr), \qquad p_{nj} = \frac{e_{nj}}{t_n} .$$
#
# The logarithm never meets a single power, so nothing overflows and nothing turns into $\ln 0$. The exponentials are
# computed once: the way back finds them in the cache.

# %% [markdown]
# **Worked example.** Scores $(2, 1, 0)$, right class 1. Shifted: $(0, -1, -2)$, so $e = (1, 0.368, 0.135)$ and
# $t = 1.503$. Loss: $\ln 1.503 - (-1) = 1.408$.
#
# **Your turn: `softmax_cross_entropy_forward`** (1 point). The cache is prescribed here: the tuple `(e, total,
# labels)`, so that the next check can use it. `total` is a plain row of shape (N,), without an axis of size 1.


# %% nbgrader={"grade": false, "grade_id": "softmax_cross_entropy_forward", "solution": true}
def softmax_cross_entropy_forward(logits, labels):
    """Softmax and cross-entropy in one step, averaged over the batch.

    Args:
        logits: scores, shape (N, C), float; values up to 1000 in size and beyond; must not be changed.
        labels: the right class of each row, shape (N,), integers from 0 to C - 1.

    Returns:
        loss: a number (0-d) of the dtype of logits.
        cache: the tuple (e, total, labels): exponentials of the scores minus the largest of their row (N, C), their
            row sums (N,), labels.
    """
    ### BEGIN SOLUTION
    shifted = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1)
    right = shifted[np.arange(len(labels)), labels]
    return (np.log(total) - right).mean(), (e, total, labels)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: the shift</summary>
#
# Each row has its own largest score: `logits.max(axis=1, keepdims=True)`.
#
# <details><summary>Hint 2: one entry per row</summary>
#
# `array[np.arange(len(labels)), labels]` picks the entry of the label from each row.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# The mean over the rows of `np.log(total)` minus the shifted score of the label, and the cache beside it.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_softmax_cross_entropy_forward", "points": 1, "solution": false}
check("softmax_cross_entropy_forward", softmax_cross_entropy_forward)

# %% [markdown]
# ### Backward
#
# $$\frac{\partial L}{\partial z_{nj}} = \frac{p_{nj} - [\,j = y_n\,]}{N} .$$
#
# The bracket is 1 for the right class and 0 for the others. If something follows the loss, a weight of a combined loss
# for example, its gradient arrives as the number `dout` and multiplies everything; at the very end `dout` is 1.
#
# In the example: $p = (0.665, 0.245, 0.090)$, so the gradient is $(0.665, -0.755, 0.090)$.

# %% [markdown]
# **Your turn: `softmax_cross_entropy_backward`** (2 points). Use the cache, and leave it as it is: a second call
# must give the same answer.


# %% nbgrader={"grade": false, "grade_id": "softmax_cross_entropy_backward", "solution": true}
def softmax_cross_entropy_backward(dout, cache):
    """Gradient of softmax_cross_entropy_forward by the logits.

    Args:
        dout: gradient of whatever follows by the loss, a number.
        cache: the tuple (e, total, labels): shapes (N, C), (N,), (N,); must not be changed.

    Returns:
        dlogits: shape (N, C), dtype of e.
    """
    ### BEGIN SOLUTION
    e, total, labels = cache
    dlogits = e / total[:, None]
    dlogits[np.arange(len(labels)), labels] -= 1
    return dlogits * (dout / len(labels))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: probabilities first</summary>
#
# Divide each row of `e` by its total. `total` has shape (N,); `total[:, None]` has shape (N, 1).
#
# <details><summary>Hint 2: one entry per row</summary>
#
# As in the forward pass: `array[np.arange(len(labels)), labels] -= 1`. Do it to a new array, not to `e`.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Probabilities, minus 1 at the labels, times `dout`, divided by the number of examples.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_softmax_cross_entropy_backward", "points": 2, "solution": false}
check("softmax_cross_entropy_backward", softmax_cross_entropy_backward)

# %% [markdown]
# **Look.** Torch on the example above, and on a row that is wrong and sure, $(-1000, 1000)$ with label 0. **Predict**
# the gradient of the second one before you run the cell.

# %%
for scores, right in (([2.0, 1.0, 0.0], 1), ([-1000.0, 1000.0], 0)):
    tracked_scores = torch.tensor([scores], requires_grad=True)
    price = functional.cross_entropy(tracked_scores, torch.tensor([right]))
    price.backward()
    print("loss", round(price.item(), 3), "gradient", tracked_scores.grad.numpy().round(3))

# %% [markdown]
# ## 7 · Copies add up
#
# *5 minutes, and 10 more with the exercise.* The bias is a row that NumPy copies to every example. Adding arrays of
# different shapes is called **broadcasting**, and its way back is always the same.

# %% [markdown]
# ### Broadcasting, backward
#
# NumPy lines shapes up **from the right**. New axes come in front, and axes of size 1 grow. Forward, a number is
# copied; each copy is used; so backward, **the gradients of all copies add up**. That is why `db` is a sum over the
# batch: nothing special about biases.

# %%
plots.broadcast_copies(np.array([[1.0, 2, 0], [0, -1, 3], [2, 2, -1], [1, 0, 1]]))

# %% [markdown]
# **Worked example.** $x$ has shape (2, 4, 3) and $b$ has shape (4, 1). For $x + b$, $b$ is seen as (1, 4, 1): a new
# axis in front, copied twice, and a last axis that grows from 1 to 3. Each entry of $b$ is used $2 \cdot 3 = 6$
# times, so its gradient is a sum of 6 numbers.

# %%
column = torch.zeros(4, 1, requires_grad=True)
(torch.zeros(2, 4, 3) + column).sum().backward()
print(column.grad.ravel().tolist())

# %% [markdown]
# **Your turn: `unbroadcast`** (2 points). *Optional, for the proud: nothing later needs it.* With it, any formula
# with broadcasting gets its way back.


# %% nbgrader={"grade": false, "grade_id": "unbroadcast", "solution": true}
def unbroadcast(dout, shape):
    """Gradient of an array that was broadcast: the sum over all copies of each entry.

    Args:
        dout: gradient by the array after broadcasting, any shape, float; must not be changed.
        shape: shape of the array before, a tuple that broadcasts to dout.shape; () is a single number.

    Returns:
        gradient: exactly of that shape, dtype of dout.
    """
    ### BEGIN SOLUTION
    new = dout.ndim - len(shape)
    aligned = (1,) * new + tuple(shape)
    grown = tuple(axis for axis, size in enumerate(aligned) if size != dout.shape[axis])
    return dout.sum(axis=grown, keepdims=True).reshape(shape)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: line them up</summary>
#
# `dout.ndim - len(shape)` axes are new, all in front. Write ones for them: (4, 1) becomes (1, 4, 1).
#
# <details><summary>Hint 2: which axes to sum</summary>
#
# Those where the aligned shape differs from `dout.shape`. An axis of size 1 that stayed 1 needs nothing; summing it
# does no harm.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Collect the axes in a tuple, `dout.sum(axis=axes, keepdims=True)`, then `.reshape(shape)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_unbroadcast", "points": 2, "solution": false}
check("unbroadcast", unbroadcast)

# %% [markdown]
# **Look.** Three sums of arrays. **Predict** the shapes of the gradients, and how often each entry was used.

# %%
if ready(unbroadcast=unbroadcast):
    for before, after in (((3,), (4, 3)), ((4, 1), (4, 3)), ((), (2, 5))):
        print(before, "copied to", after, "gradient of ones:", unbroadcast(np.ones(after), before).tolist())

# %% [markdown]
# ## 8 · Layers in a row
#
# *30 minutes.* A network is a chain. Its backward pass is a loop with one line of mathematics.

# %% [markdown]
# ### The layer recursion
#
# Layer $k$ computes $x_k = f_k(x_{k-1}, \theta_k)$, for $k = 1, \dots, K$; $\theta_k$ are its parameters and
# $x_0$ is the data. The loss gives $\partial L/\partial x_K$. Then, from the last layer to the first,
#
# $$\frac{\partial L}{\partial \theta_k} = \frac{\partial L}{\partial x_k}\,\frac{\partial f_k}{\partial \theta_k},
# \qquad
# \frac{\partial L}{\partial x_{k-1}} = \frac{\partial L}{\partial x_k}\,\frac{\partial f_k}{\partial x_{k-1}} .$$
#
# The first product stays: it is what the update needs. The second one travels on. Both start from what the layer
# behind handed over, and nothing is computed twice.

# %%
plots.layer_recursion()

# %% [markdown]
# In this course a network is a list of kinds, such as `["affine", "relu", "affine"]`. Going forward, every layer
# leaves a cache: `(x, w, b)` for an affine layer, and `(out,)` for the others, also for the sigmoid: **its output**.
# From the output alone the slopes are $[\text{out} > 0]$ (ReLU), $\text{out}\,(1 - \text{out})$ (sigmoid) and $1 -
# \text{out}^2$ (tanh).

# %%
BENDS = {"relu": lambda values: np.maximum(values, 0), "sigmoid": expit, "tanh": np.tanh}


def network_forward(x, kinds, pairs):
    """Output and caches of layers in a row; `pairs` holds (w, b) of the affine ones."""
    kept, left = [], list(pairs)
    for kind in kinds:
        if kind == "affine":
            w, b = left.pop(0)
            kept.append((x, w, b))
            x = x @ w.T + b
        else:
            x = BENDS[kind](x)
            kept.append((x,))
    return x, kept


# %% [markdown]
# ### Bug hunt: the backward pass
#
# A classmate wrote the way back. Read it once, then use your tools: reading finds what you expect, measuring finds
# what is there.


# %%
def sequential_backward_suspect(dout, layers, caches):
    """Two things are wrong."""
    grads = []
    for kind, cache in zip(reversed(layers), reversed(caches), strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.mean(axis=0)))
            dout = dout @ w
        else:
            (out,) = cache
            if kind == "relu":
                dout = dout * (dout > 0)
            elif kind == "sigmoid":
                dout = dout * out * (1 - out)
            elif kind == "tanh":
                dout = dout * (1 - out**2)
            grads.append(())
    return dout, grads[::-1]


# %% [markdown]
# The tool checks every gradient of a small random network, with a random `dout`. You need not read it: run it.


# %%
def random_network(widths, generator):
    """Weights and biases (w, b) for layers of these widths."""
    pairs = zip(widths[:-1], widths[1:], strict=True)
    return [(generator.normal(size=(after, before)), generator.normal(size=after)) for before, after in pairs]


def gradient_table(backward, kinds, widths, examples):
    """Print the relative error of each gradient of a random network."""
    generator = np.random.default_rng(SEED)
    pairs, inputs = random_network(widths, generator), generator.normal(size=(examples, widths[0]))
    out, kept = network_forward(inputs, kinds, pairs)
    upstream = generator.normal(size=out.shape)
    returned, per_layer = backward(upstream, kinds, kept)
    of_parameters = [part for part in per_layer if part]

    def number(moved, layer=None, which=0):
        changed = [list(pair) for pair in pairs]
        if layer is not None:
            changed[layer][which] = moved
        return (upstream * network_forward(moved if layer is None else inputs, kinds, changed)[0]).sum()

    def report(name, found, measured):
        error = relative_error(found, measured)
        print(f"  {name}: relative error {error:.0e}", "" if error < 1e-4 else " <- wrong")

    report("dx", returned, numerical_gradient(number, inputs))
    for layer, pair in enumerate(pairs):
        for which, name in enumerate(("dw", "db")):
            measured = numerical_gradient(lambda moved, at=(layer, which): number(moved, *at), pair[which])
            report(f"{name} of affine layer {layer + 1}", of_parameters[layer][which], measured)


# %% [markdown]
# **Predict** for each of the three networks which gradients will be wrong: one affine layer with one example; the
# same with four examples; affine, ReLU, affine with one example.

# %%
HUNT = ((["affine"], (3, 2), 1), (["affine"], (3, 2), 4), (["affine", "relu", "affine"], (3, 6, 2), 1))
if ready(numerical_gradient=numerical_gradient, relative_error=relative_error):
    for kinds, widths, examples in HUNT:
        print(", ".join(kinds), "with a batch of", examples)
        gradient_table(sequential_backward_suspect, kinds, widths, examples)

# %% [markdown]
# Each bug needs its own network to show. The first is invisible for one example. The second leaves everything behind
# the ReLU right, and everything before it wrong. Find the two lines; say *why* they are wrong before you change them.
#
# **Your turn: `sequential_backward`** (4 points). Write the function as it should be. Your `affine_backward` may help.


# %% nbgrader={"grade": false, "grade_id": "sequential_backward", "solution": true}
def sequential_backward(dout, layers, caches):
    """Backward pass of layers in a row, from the last to the first.

    Args:
        dout: gradient by the last output, float; must not be changed.
        layers: kinds in the order of the forward pass: "affine", "relu", "sigmoid" or "tanh".
        caches: one per layer, same order: (x, w, b) for "affine", and (out,), its output, for the others.

    Returns:
        dx: gradient by the first input.
        grads: a list with one tuple per layer, in the order of layers: (dw, db) for "affine", () for the others.
    """
    ### BEGIN SOLUTION
    grads = []
    for kind, cache in zip(reversed(layers), reversed(caches), strict=True):
        if kind == "affine":
            dout, *own = affine_backward(dout, cache)
        else:
            out, own = cache[0], ()
            slope = {"relu": out > 0, "sigmoid": out * (1 - out), "tanh": 1 - out**2}[kind]
            dout = dout * slope
        grads.append(tuple(own))
    return dout, grads[::-1]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: the bug that one example hides</summary>
#
# For $N = 1$ a sum and a mean are the same number. Which one belongs here, and where is the mean already?
#
# <details><summary>Hint 2: the bug that only layers before a ReLU feel</summary>
#
# A gate opens or closes on the way *forward*. What does the suspect ask instead?
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Copy the suspect. Take both numbers for the affine layer from `affine_backward`, and let the ReLU look at its output.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_sequential_backward", "points": 4, "solution": false}
check("sequential_backward", sequential_backward)

# %% [markdown]
# **Look.** Your function in the same tool, with three bends at once. No line should say *wrong*.

# %%
if ready(numerical_gradient=numerical_gradient, relative_error=relative_error, sequential_backward=sequential_backward):
    gradient_table(sequential_backward, "affine relu affine tanh affine sigmoid affine".split(), (3, 6, 5, 4, 2), 4)

# %% [markdown]
# **Would training have shown the bugs?** A network like that of the lab (64 hidden ReLUs, rate 0.2, 20 epochs, three
# starts) stays at blind guessing with the gate bug. With the averaged bias gradient alone it reads 96.0 to 96.7 % of
# the validation images, and with the right one 96.0 to 97.0 %: a wrong gradient can learn quietly. Only the check
# tells.

# %% [markdown]
# ### How far does the gradient flow?
#
# The recursion multiplies one matrix and one slope per layer. After twenty layers that is a product of forty factors:
# usually far above or far below 1, as in lesson 02.
#
# **Look.** Predict, then reach both goals: a gradient that arrives at layer 1 between a tenth and ten times as large as
# it left.

# %%
GradientFlow()

# %% [markdown]
# ## 9 · In which order?
#
# *5 minutes, and 15 more with the exercise.* A chain has one order. A graph has many, and most of them are wrong.

# %% [markdown]
# ### Topological order
#
# Forward, a node waits for all of its sources. Backward, it waits for **all of its users**: only when every share has
# arrived may it pass the sum on. An order in which each name comes after everything it is computed from is a
# **topological order**; the backward pass walks the same list from its end.

# %%
plots.waiting_node()

# %% [markdown]
# **Worked example.** In the picture $y$ is used by $s$ and by $f$. If $y$ passed on right after $f$, then $a$ and $b$
# would miss the share that comes through $s$. An order that works is $a, b, c, y, s, f$; backward $f, s, y, c, b, a$.
# With $a = 2$, $b = 3$, $c = 4$: the shares of $y$ are 1 and 4, so $\partial f/\partial a = 5 \cdot 3 = 15$.
#
# Two names that wait for each other form a **cycle**, and no order exists.

# %%
two, three, four = (torch.tensor(value, requires_grad=True) for value in (2.0, 3.0, 4.0))
product = two * three
(product + product * four).backward()
print(two.grad.item())

# %% [markdown]
# **Your turn: `topological_order`** (3 points). *Optional, for the proud: only `Value` can use it.* The graph is a
# dict: each name has the list of names that it is computed from. Any valid order is right. A cycle raises
# `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "topological_order", "solution": true}
def topological_order(graph):
    """All names of a graph, each after everything that it is computed from.

    Args:
        graph: a dict from each name to the list of names that it is computed from (a name may stand there twice);
            inputs have an empty list. Every name is a key. Must not be changed.

    Returns:
        order: a list with every name exactly once.

    Raises:
        ValueError: there is a cycle.
    """
    ### BEGIN SOLUTION
    order, waiting = [], list(graph)
    while waiting:
        free = [name for name in waiting if all(source in order for source in graph[name])]
        if not free:
            raise ValueError("The graph has a cycle.")
        order += free
        waiting = [name for name in waiting if name not in free]
    return order
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: who can go first?</summary>
#
# The names with an empty list. Who can go once these have gone?
#
# <details><summary>Hint 2: round by round</summary>
#
# In each round, take every waiting name whose sources are all in `order` already. (Or visit: before a name is written
# down, visit its sources; remember what is done and what is still open. A `RecursionError` is a cycle that nobody
# noticed.)
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `while waiting:` collect the free names; if there are none, `raise ValueError`; else add them to `order` and take
# them off `waiting`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_topological_order", "points": 3, "solution": false}
check("topological_order", topological_order)

# %% [markdown]
# **Look.** The graph of the picture, and one with a cycle. **Predict** where $c$ may stand.

# %%
PICTURED = {"f": ["y", "s"], "s": ["y", "c"], "y": ["a", "b"], "a": [], "b": [], "c": []}
if ready(topological_order=topological_order):
    print(topological_order(PICTURED))
    try:
        topological_order({"hen": ["egg"], "egg": ["hen"]})
    except ValueError as answer:
        print("hen and egg: ValueError,", answer)

# %% [markdown]
# ## 10 · Automatic differentiation
#
# *10 minutes, and 30 more with the exercise.* Torch does all of this for any program. There is no magic in it.

# %% [markdown]
# ### Four ways to a derivative
#
# | Way | Gradient of one loss by $P$ parameters | Exact? |
# |---|---|---|
# | **nudging** | $2P$ forward passes | no |
# | **symbolic**: formulas in, formulas out | one formula, which can become huge | yes |
# | **forward mode**: slopes travel along with the values | $P$ passes, one per parameter | yes |
# | **reverse mode**: record forward, then walk back | about three forward passes in all | yes |
#
# The last two are **automatic differentiation**: they treat a program as a chain of small known steps, and apply the
# chain rule with numbers. Backpropagation is reverse mode on a network.

# %% [markdown]
# How does a library know the graph? It **records** it: every number remembers its parents and the local slope by each
# of them. `z = x * y` stores "parents x and y, slopes y and x". Calling `backward()` on the result finds everything
# behind it, orders it, and walks.
#
# **`backward()` adds to `grad` and clears nothing**, as in Torch. Two calls give twice the gradient; who wants to
# start afresh sets `grad` to 0.

# %%
counted = torch.tensor(3.0, requires_grad=True)
for call in (1, 2):
    (counted * counted + 2 * counted).backward()
    print("after call", call, "grad is", counted.grad.item())

# %% [markdown]
# **Worked example.** $y = x \cdot x + 2x$ at $x = 3$. The product has parents $x$ and $x$, both with slope 3; $2x$ has
# parent $x$ with slope 2; the sum has slopes 1. Walking back: $3 + 3 + 2 = 8$, and that is $2x + 2$.
#
# And `2 * x`? Python first asks the 2, which has never heard of you; then it asks `x` for `__rmul__`. A sum with a
# number on the left needs `__radd__`.

# %% [markdown]
# **Your turn: `Value`** (4 points). *Optional, for the proud, and the proudest moment of the course so far.* A number
# that differentiates itself. Write `__init__` and add the other methods below it; your `topological_order` may help,
# because values can be keys of a dict.
#
# One trap: a second `backward()` must not pass on what an earlier one left in `grad`. Keep what arrives in *this* call
# in a dict of its own, and add it to `grad`.


# %% nbgrader={"grade": false, "grade_id": "Value", "solution": true}
class Value:
    """A number that remembers what it was computed from.

    Attributes:
        data: the number, a float.
        grad: sum of the derivatives that backward() has brought so far, a float; 0.0 at first.

    Methods to write, beside __init__(data):
        +, *: with a Value or a number on either side: __add__, __mul__, __radd__, __rmul__; each gives a new Value.
        relu(): a new Value, data where it is above 0, else 0; its slope at exactly 0 is 0.
        backward(): adds the derivative of this Value by each one behind it, itself included, to their grad.
    """

    def __init__(self, data):
        ### BEGIN SOLUTION
        self.data = float(data)
        self.grad = 0.0
        self.parents = ()

    def made(self, data, *parents):
        """A new value with its parents, each with the local slope."""
        value = Value(data)
        value.parents = parents
        return value

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        """Itself above 0, else 0."""
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        """Add to grad, here and in everything behind."""
        graph, left = {}, [self]
        while left:
            value = left.pop()
            if value not in graph:
                graph[value] = [parent for parent, _ in value.parents]
                left += graph[value]
        arrived = dict.fromkeys(graph, 0.0) | {self: 1.0}
        for value in reversed(topological_order(graph)):
            value.grad += arrived[value]
            for parent, slope in value.parents:
                arrived[parent] += slope * arrived[value]
        ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: what to remember</summary>
#
# In `__init__`: `data` as a float, `grad = 0.0`, and an empty tuple of parents. `a * b` makes a new Value and sets its
# parents to `((a, b.data), (b, a.data))`: each parent with its slope. Turn plain numbers into Values first.
#
# <details><summary>Hint 2: the way back</summary>
#
# Collect all values behind `self`, starting with `[self]` and adding the parents of each new one. Order them. Make a
# dict with 0.0 for all and 1.0 for `self`.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# From the end of the order: add the value's entry of the dict to its `grad`; then for each parent add slope times that
# entry to the *parent's* entry. And `__radd__ = __add__`, `__rmul__ = __mul__`, since order does not matter.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_Value", "points": 4, "solution": false}
check("Value", Value)

# %% [markdown]
# **Look: your numbers learn XOR.** A network 2-8-1 made of 33 Values, the four corners, squared error, 200 steps.
# No library, no gradient written by hand. **Predict:** how many of the four answers will be right?


# %%
def xor_answer(corner, units, offset):
    """Output of a network whose hidden units are lists [v, u1, u2, c] of Values."""
    return sum((v * (u1 * corner[0] + u2 * corner[1] + c).relu() for v, u1, u2, c in units), offset)


def xor_step(units, offset, rate):
    """One step of gradient descent; gives the error before it."""
    parameters = [offset, *(value for unit in units for value in unit)]
    for value in parameters:
        value.grad = 0.0
    misses = [xor_answer(corner, units, offset) + -target for corner, target in zip(CORNERS, XOR[:, 0], strict=True)]
    error = sum(miss * miss for miss in misses)
    error.backward()
    for value in parameters:
        value.data -= rate * value.grad
    return error.data


# %%
if ready(topological_order=topological_order, Value=Value):
    drawn = np.random.default_rng(SEED)
    xor_units = [[Value(number) for number in drawn.uniform(-1, 1, 4)] for _ in range(8)]
    xor_offset = Value(0.0)
    errors = [xor_step(xor_units, xor_offset, 0.05) for _ in range(200)]
    print("error", round(errors[0], 3), "at first,", round(errors[-1], 6), "at the end")
    print([round(xor_answer(corner, xor_units, xor_offset).data, 2) for corner in CORNERS])
    display(plots.value_errors(errors))

# %% [markdown]
# Thirty-three numbers, and each knows its part in every mistake. Of the seeds 0 to 19, two do not get there in 200
# steps: ReLU units can die, as in lesson 02. Change `SEED` and try.

# %% [markdown]
# **Look: what the order is for.** Twice as much, again and again: $y \leftarrow y + y$. After $k$ doublings there are
# $2^k$ paths, but only $k + 1$ values. **Predict** the duration of `backward()` for 4, 8, 12 and 16 doublings.

# %%
if ready(topological_order=topological_order, Value=Value):
    for doublings in (4, 8, 12, 16):
        first = doubled = Value(1.0)
        for _ in range(doublings):
            doubled = doubled + doubled
        started = time.perf_counter()
        doubled.backward()
        took = 1000 * (time.perf_counter() - started)
        print(f"{doublings} doublings: slope {first.grad:.0f}, {took:.2f} ms")

# %% [markdown]
# With a topological order each value takes one turn, however many paths lead to it. A `backward` that calls itself
# along every path gives the same numbers and passes the check, but each doubling doubles its time: forty of them would
# take more than $10^{12}$ turns. That is why each value waits for all of its users.

# %% [markdown]
# ## 11 · What it costs in memory
#
# *15 minutes.* Going back needs what going forward computed. So nothing may be thrown away in between.

# %% [markdown]
# ### Memory of the forward and the backward pass
#
# A network with $P$ parameters that is trained with a batch of $B$ examples keeps
#
# - its parameters: $P$ numbers, and **one gradient for each**: $P$ more;
# - what the optimiser remembers: nothing for plain gradient descent, $P$ with momentum, $2P$ with Adam (lesson 04);
# - **stored activations**: $B$ times the number of units, input and output included.
#
# Gradients are summed over the batch on the way, so they do not grow with $B$. Activations do, and with the depth.

# %% [markdown]
# **Worked example.** Layers 10, 200, 100, 1 (lesson 01: $P = 22{,}401$), $B = 32$, Adam, float32, which takes 4 bytes:
#
# $$\underbrace{89{,}604}_{\text{parameters}} + \underbrace{89{,}604}_{\text{gradients}} +
# \underbrace{179{,}208}_{\text{Adam}} + \underbrace{4 \cdot 32 \cdot 311 = 39{,}808}_{\text{activations}}
# = 398{,}224 \text{ bytes.}$$

# %% [markdown]
# **What is wrong here?** Course notes give the memory of the forward pass as
#
# $$M + B \cdot m \cdot \text{layers},$$
#
# with $M$ for the parameters and $m$ for one layer of one example. For the backward pass they say: add one gradient
# per parameter, *so* the memory is $M + B \cdot m \cdot \text{layers}$. Count it yourself.
# <details><summary>Answer</summary>
#
# The words are right, the formula forgot them: with gradients it starts with $2M$, not $M$; with momentum $3M$, with
# Adam $4M$. And a forward pass alone, to predict and not to train, may drop each layer's values as soon as the next
# one is computed.
# </details>

# %% [markdown]
# **Your turn: `memory_needed`** (2 points). Bytes of the four parts, not their sum. One number per unit and example in
# every layer: bends work in place here. Biases are parameters.


# %% nbgrader={"grade": false, "grade_id": "memory_needed", "solution": true}
def memory_needed(sizes, batch, moments=0, bytes_each=4):
    """Bytes that one training step of a dense network keeps.

    Args:
        sizes: units per layer from input to output, a list of at least two integers; must not be changed.
        batch: examples per step, an integer.
        moments: numbers the optimiser keeps per parameter: 0 for plain descent, 1 with momentum, 2 for Adam.
        bytes_each: bytes per number, 4 in float32.

    Returns:
        parameters, gradients, optimiser, activations: four ints, in bytes.
    """
    ### BEGIN SOLUTION
    parameters = sum((before + 1) * after for before, after in zip(sizes[:-1], sizes[1:], strict=True)) * bytes_each
    return parameters, parameters, moments * parameters, batch * sum(sizes) * bytes_each
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: parameters</summary>
#
# Lesson 01's count: for each pair of neighbours, before times after, plus after for the biases.
#
# <details><summary>Hint 2: activations</summary>
#
# Every layer in `sizes` stands there once per example: `batch * sum(sizes)` numbers.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# With $P$ parameters: $P$, $P$, `moments` times $P$, and the activations; each times `bytes_each`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_memory_needed", "points": 2, "solution": false}
check("memory_needed", memory_needed)

# %% [markdown]
# **Look.** Torch tells what it keeps for the way back. A network 64-200-100-10, batch 32, in float32. **Predict** the
# number of bytes from the formula for activations.


# %%
def kept_by_torch(widths, examples):
    """Bytes of the tensors that Torch stores for a backward pass, parameters left out."""
    parts = [
        (torch.nn.Linear(before, after), torch.nn.ReLU()) for before, after in zip(widths[:-1], widths[1:], strict=True)
    ]
    model = torch.nn.Sequential(*[part for pair in parts for part in pair][:-1])
    own, stored = {item.data_ptr() for item in model.parameters()}, {}

    def keep(tensor):
        stored[tensor.data_ptr()] = tensor.nbytes if tensor.is_floating_point() else 0
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        functional.cross_entropy(model(torch.randn(examples, widths[0])), torch.zeros(examples, dtype=torch.long))
    return sum(size for where, size in stored.items() if where not in own)


# %%
print("kept by Torch:", kept_by_torch((64, 200, 100, 10), 32), "by the formula:", 4 * 32 * (64 + 200 + 100 + 10))

# %% [markdown]
# Torch keeps 4 bytes more: a single float32 number that its cross-entropy stores for its own way back. Now the four
# parts for three trainings.

# %%
if ready(memory_needed=memory_needed):
    bars_of = {}
    for name, examples, kept_moments in (("plain descent", 32, 0), ("Adam", 32, 2), ("Adam", 1024, 2)):
        needed = memory_needed([64, 200, 100, 10], examples, kept_moments)
        bars_of[f"{name},\nbatch {examples}"] = [part / 1e6 for part in needed]
    display(plots.memory_parts(bars_of))

# %% [markdown]
# With small batches the parameters and their copies dominate, with large ones the activations. "Out of memory" is
# therefore first answered with a smaller batch. Another answer is to store only some layers and compute the others
# once more on the way back (**checkpointing**): memory paid with work.

# %% [markdown]
# ## 12 · One step of training
#
# *5 minutes.* Now all parts are there.

# %% [markdown]
# ### The four steps of an update
#
# 1. **Take a mini-batch** of training examples.
# 2. **Forward:** compute the outputs and the loss, and keep the caches.
# 3. **Backward:** send the gradient of the loss back, and collect $\partial L/\partial \theta_k$ for every layer.
# 4. **Update:** $\theta_k \leftarrow \theta_k - \eta\, \partial L/\partial \theta_k$ for all $k$, *after* all gradients
#    are known.
#
# Then again, with the next mini-batch. A library needs a fifth line, "set the gradients to 0", because its
# `backward()` adds. The lab's `train` marks the four steps.

# %% [markdown]
# *Quick test.* A learner updates $\theta_3$ as soon as $\partial L/\partial \theta_3$ is known, and then goes on
# backward with the *new* weights of layer 3. What is wrong?
# <details><summary>Answer</summary>
#
# $\partial L/\partial x_2$ must use the weights of the forward pass. With the new ones it is the gradient of no
# function at all.
# </details>

# %% [markdown]
# ## 13 · Exam corner
#
# *15 minutes, pen and paper; a calculator helps.* Six questions, one point each. The numbers are yours: another
# learner gets others. In a class, set `LEARNER` in the setup cell to the id that your instructor gave you, and run
# that cell again.

# %%
exam_sheet("03_backpropagation", learner=LEARNER)

# %% [markdown]
# **Your turn:** in each cell below, replace `None` by your number; the lines under it then do nothing. Run the cell,
# and the check after it.

# %% nbgrader={"grade": false, "grade_id": "exam_graph", "solution": true}
### BEGIN SOLUTION exam_graph = None  # replace None by your number
asked = exam_numbers("exam_graph", learner=LEARNER)
exam_graph = round(asked["w3"] * (asked["x1"] + asked["x2"]), 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_graph", "points": 1, "solution": false}
check("exam_graph", exam_graph, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_product", "solution": true}
### BEGIN SOLUTION exam_product = None  # replace None by your number
asked = exam_numbers("exam_product", learner=LEARNER)
exam_product = round(asked["u1"] * asked["a"] * asked["x2"] + asked["u2"] * 2 * asked["x1"], 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_product", "points": 1, "solution": false}
check("exam_product", exam_product, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_work", "solution": true}
### BEGIN SOLUTION exam_work = None  # replace None by your number
asked = exam_numbers("exam_work", learner=LEARNER)
once = asked["hidden"] * asked["outputs"]
exam_work = asked["batch"] * (asked["inputs"] * asked["hidden"] + 2 * once)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_work", "points": 1, "solution": false}
check("exam_work", exam_work, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_memory", "solution": true}
### BEGIN SOLUTION exam_memory = None  # replace None by your number
asked = exam_numbers("exam_memory", learner=LEARNER)
widths = [asked[name] for name in ("inputs", "first", "second", "outputs")]
learned = sum((before + 1) * after for before, after in zip(widths[:-1], widths[1:], strict=True))
exam_memory = round(4 * (4 * learned + asked["batch"] * sum(widths)) / 1e6, 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_memory", "points": 1, "solution": false}
check("exam_memory", exam_memory, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_difference", "solution": true}
### BEGIN SOLUTION exam_difference = None  # replace None by your number
asked = exam_numbers("exam_difference", learner=LEARNER)
exam_difference = round(asked["a"] * (3 * asked["x"] ** 2 + asked["h"] ** 2), 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_difference", "points": 1, "solution": false}
check("exam_difference", exam_difference, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_copies", "solution": true}
### BEGIN SOLUTION exam_copies = None  # replace None by your number
asked = exam_numbers("exam_copies", learner=LEARNER)
exam_copies = asked["n"] * asked["c"]
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_copies", "points": 1, "solution": false}
check("exam_copies", exam_copies, learner=LEARNER)

# %% [markdown]
# ## 14 · Lab: digits with your own way back
#
# *20 minutes.* 64 pixels, one hidden layer or more, ten scores. Everything that goes backward is yours: the layer, the
# loss, the loop. **Target: at least 95 % of the test images right.**

# %%
digits = load_digits()
first_of_each = [int(np.flatnonzero(digits.y_train == digit)[0]) for digit in range(10)]
plots.digit_images(digits.x_train[first_of_each], range(10))

# %% [markdown]
# First your way, from your own functions: forward, loss, loss backward, layers backward. Then Torch's way, where
# autograd does the same. Both give the loss and one pair of gradients per affine layer.


# %%
def my_gradients(x, right, kinds, pairs):
    """Loss and gradients by your functions."""
    scores, kept = network_forward(x, kinds, pairs)
    price, kept_loss = softmax_cross_entropy_forward(scores, right)
    _, per_layer = sequential_backward(softmax_cross_entropy_backward(1.0, kept_loss), kinds, kept)
    return price, [part for part in per_layer if part]


def torch_gradients(x, right, kinds, pairs):
    """The same by Torch's autograd."""
    tracked = [[item.detach().requires_grad_() for item in pair] for pair in pairs]
    left = list(tracked)
    for kind in kinds:
        x = functional.linear(x, *left.pop(0)) if kind == "affine" else getattr(torch, kind)(x)
    price = functional.cross_entropy(x, right)
    price.backward()
    return price.detach(), [(w.grad, b.grad) for w, b in tracked]


# %%
def train(gradients_of, x, right, kinds, pairs, rate, epochs, size=32):
    """Mini-batch gradient descent: final pairs, loss per epoch, seconds."""
    rng, losses, started = np.random.default_rng(SEED), [], time.perf_counter()
    for _ in range(epochs):
        order, total = rng.permutation(len(x)), 0.0
        for rows in np.split(order, range(size, len(x), size)):  # step 1: a mini-batch
            price, found = gradients_of(x[rows], right[rows], kinds, pairs)  # steps 2 and 3: forward, backward
            pairs = [(w - rate * dw, b - rate * db) for (w, b), (dw, db) in zip(pairs, found, strict=True)]  # step 4
            total += float(price) * len(rows)
        losses.append(total / len(x))
        if len(losses) % 10 == 0:
            print(f"  epoch {len(losses)}: loss {losses[-1]:.4f}")
    return pairs, losses, time.perf_counter() - started


# %% [markdown]
# **Your turn:** the settings below are bad ones. Run down to the validation score and look at the loss. Say what is
# wrong before you change anything; then change *one* thing, run again, and go on until the score satisfies you.
# `HIDDEN` is a list: `[64]` is one hidden layer, `[64, 32]` are two. `BEND` is "relu", "sigmoid" or "tanh".

# %%
USE_MINE = True

# %% nbgrader={"grade": false, "grade_id": "lab_settings", "solution": true}
### BEGIN SOLUTION HIDDEN, BEND, RATE, EPOCHS = [3], "relu", 0.005, 20  # change me
HIDDEN, BEND, RATE, EPOCHS = [64], "relu", 0.2, 20
### END SOLUTION

# %%
lab_widths = [64, *HIDDEN, 10]
lab_kinds = ["affine"] + [BEND, "affine"] * len(HIDDEN)
drawn = np.random.default_rng(SEED)
lab_start = [kaiming_uniform(size, drawn) for size in zip(lab_widths[1:], lab_widths[:-1], strict=True)]
print("layers:", lab_kinds, "parameters:", sum(item.size for pair in lab_start for item in pair))

# %% [markdown]
# **Check before you train.** All gradients of this very network, on four images, against nudging. Once we can afford
# it. In every step of a training? Look at the durations.

# %%
MINE = {
    "numerical_gradient": numerical_gradient,
    "relative_error": relative_error,
    "affine_backward": affine_backward,
    "softmax_cross_entropy_forward": softmax_cross_entropy_forward,
    "softmax_cross_entropy_backward": softmax_cross_entropy_backward,
    "sequential_backward": sequential_backward,
}


# %%
def nudged_gradients(x, right, kinds, pairs):
    """All gradients by numerical_gradient: two forward passes per parameter."""

    def loss_with(moved, layer, which):
        changed = [list(pair) for pair in pairs]
        changed[layer][which] = moved
        return softmax_cross_entropy_forward(network_forward(x, kinds, changed)[0], right)[0]

    return [
        [numerical_gradient(lambda moved, at=(layer, which): loss_with(moved, *at), pair[which]) for which in (0, 1)]
        for layer, pair in enumerate(pairs)
    ]


# %%
checked = USE_MINE and ready(**MINE)
if checked:
    four_images = (digits.x_train[:4], digits.y_train[:4], lab_kinds, lab_start)
    started = time.perf_counter()
    by_nudging = nudged_gradients(*four_images)
    middle = time.perf_counter()
    by_walking = my_gradients(*four_images)[1]
    ended = time.perf_counter()
    for layer, (walked, nudged) in enumerate(zip(by_walking, by_nudging, strict=True)):
        wrong = [relative_error(*couple) for couple in zip(walked, nudged, strict=True)]
        print(f"affine layer {layer + 1}: relative errors of dw and db {wrong[0]:.0e} and {wrong[1]:.0e}")
    print(f"nudging took {middle - started:.2f} s, going backward {1000 * (ended - middle):.2f} ms")
    steps = EPOCHS * -(-len(digits.x_train) // 32)
    print(f"The training below has {steps:,} steps; nudging in each: {steps * (middle - started):.0f} s at least")

# %% [markdown]
# Errors far above $10^{-7}$ although all checks pass? Some gradients are tiny, about $10^{-6}$, and there the noise of
# the measurement, about $10^{-11}$, is a visible share; or a score lies within a nudge of the kink of a ReLU.

# %%
on_device = [torch.tensor(part, device=DEVICE) for part in (digits.x_train, digits.y_train)]
torch_start = [tuple(torch.tensor(item, device=DEVICE) for item in pair) for pair in lab_start]
torch_gradients(*on_device, lab_kinds, torch_start)  # Torch's very first step is slow; it must not spoil the comparison
by_torch, torch_losses, torch_seconds = train(torch_gradients, *on_device, lab_kinds, torch_start, RATE, EPOCHS)
print(f"Torch: {torch_seconds:.2f} s, loss {torch_losses[0]:.4f} in epoch 1, {torch_losses[-1]:.6f} in the last")

# %%
final_pairs, my_losses = [tuple(item.cpu().numpy() for item in pair) for pair in by_torch], None
if checked:
    final_pairs, my_losses, my_seconds = train(
        my_gradients, digits.x_train, digits.y_train, lab_kinds, lab_start, RATE, EPOCHS
    )
    print(f"NumPy: {my_seconds:.2f} s, loss {my_losses[0]:.4f} in epoch 1, {my_losses[-1]:.6f} in the last")
    print(f"Torch took {torch_seconds / my_seconds:.1f} times as long as NumPy on this machine.")
    print("largest difference of the two curves:", np.abs(np.subtract(my_losses, torch_losses)).max())

# %%
plots.lab_curves(my_losses, torch_losses, "cross-entropy per image")

# %% [markdown]
# With your functions the two curves lie on each other. You have written, layer by layer, what `loss.backward()` does.
# Blind guessing costs $\ln 10 = 2.303$. How far has your loss come from there?
# <details><summary>If it has hardly moved</summary>
#
# That is a sign of steps that are too small, of layers that are too narrow, or of both.
# </details>


# %%
def percent_right(images, truth):
    """Percentage of images whose largest score is that of the right digit."""
    return 100 * (network_forward(images, lab_kinds, final_pairs)[0].argmax(axis=1) == truth).mean()


print(f"validation: {percent_right(digits.x_validation, digits.y_validation):.1f} % right")

# %% [markdown]
# **Choose with this number**, and with nothing else. One image is a third of a point here, so 96.0 against 96.3 is
# noise. Satisfied? Only then set `OPEN_TEST = True` and run the rest, once.

# %% nbgrader={"grade": false, "grade_id": "lab_test", "solution": true}
### BEGIN SOLUTION OPEN_TEST = False  # True at the very end
OPEN_TEST = True
### END SOLUTION

# %%
if OPEN_TEST:
    score = percent_right(digits.x_test, digits.y_test)
    print(f"test: {score:.1f} % right.", "Target reached." if score >= 95 else "Note it down as it is.")
    guess = network_forward(digits.x_test, lab_kinds, final_pairs)[0].argmax(axis=1)
    display(plots.confusion(digits.y_test, guess, 10))

# %% [markdown]
# **What the bugs would have cost.** The suspect of section 8 as the backward pass of your network. **Predict** the
# curve.

# %%
if checked:

    def suspect_gradients(x, right, kinds, pairs):
        """Loss and gradients with the suspect in place of your sequential_backward."""
        scores, kept = network_forward(x, kinds, pairs)
        price, kept_loss = softmax_cross_entropy_forward(scores, right)
        _, per_layer = sequential_backward_suspect(softmax_cross_entropy_backward(1.0, kept_loss), kinds, kept)
        return price, [part for part in per_layer if part]

    _, suspect_losses, _ = train(suspect_gradients, digits.x_train, digits.y_train, lab_kinds, lab_start, RATE, EPOCHS)
    display(plots.two_backward_passes(my_losses, suspect_losses))

# %% [markdown]
# ## 15 · Open question
#
# *10 minutes, 3 points, read by a person.* **Your turn:** in five to ten sentences of your own, explain to a friend
# who knows the chain rule why gradients are computed backwards and not by nudging each parameter. What happens to a
# value that is used several times, and what does it all cost in memory?
#
# **One point each:** (1) why backward is cheap: a row times one Jacobian after the other, and what that costs
# compared with nudging; (2) values used several times, and in which order nodes take their turn; (3) what the forward
# pass has to keep, and what that memory grows with.

# %% [markdown] nbgrader={"grade": true, "grade_id": "open_question_backpropagation", "points": 3, "solution": true}
# Nudging needs two forward passes for every parameter, so a network with a million parameters needs two million
# passes for one step. The loss is a single number, so its derivative by the last outputs is one row. Going backward
# this row is multiplied by one Jacobian after the other, and a full matrix is never needed. All gradients together
# cost about as much as two more forward passes.
#
# A value that is used several times moves the loss along several paths, and their effects add up. So it gets the sum
# of what comes back from its users, and it may only pass that on when all of them have had their turn: reverse
# topological order.
#
# Local derivatives depend on the values of the forward pass: a product needs its factors, a ReLU its gate, a dense
# layer its inputs. They must be kept until the way back has used them, for every example and every layer, so this
# memory grows with the batch and the depth. Beside it each parameter has a gradient, and more with momentum or Adam.

# %% [markdown]
# ## Summary
#
# 1. Upstream times local, from the result to the inputs; a value used several times gets the **sum**, and waits for all
#    its users.
# 2. A backward pass is a vector-Jacobian product: `dout` in, gradients out, no Jacobian anywhere. For a dense layer:
#    `dout @ w`, `dout.T @ x`, `dout.sum(axis=0)`.
# 3. Measure before you trust: central differences with $h = 10^{-5}$ in float64, a random `dout`, the worst relative
#    error. A wrong gradient can still learn.
# 4. Automatic differentiation records the graph while computing and walks back; `backward()` adds to `grad`.
# 5. Going back costs about two forward passes of work. Memory: parameters and gradients ($2\times$, with momentum or
#    Adam 3 to $4\times$) plus the activations of the whole batch.

# %% [markdown]
# **Conventions used.** `f_backward(dout, cache)` returns gradients in the order of the arguments, summed over the
# batch: the mean is in the loss. Activations keep `(out,)`, the loss `(e, total, labels)`. `sequential_backward`
# returns `dx` and one tuple per layer, `()` for activations. $\operatorname{relu}'(0) = 0$. `Value.backward()` adds
# and clears nothing. `memory_needed` counts biases, input and output, and keeps one number per unit and example.
# float32 in, float32 out. Inputs are never changed.

# %% [markdown]
# **Further reading.** Linnainmaa, *Taylor expansion of the accumulated rounding error* (1976). Rumelhart, Hinton and
# Williams, *Learning representations by back-propagating errors* (1986). LeCun, Bottou, Orr and Müller, *Efficient
# backprop* (1998). Griewank and Walther, *Evaluating derivatives* (2008). Chen and others, *Training deep nets with
# sublinear memory cost* (2016). Baydin and others, *Automatic differentiation in machine learning: a survey* (2018).

# %% [markdown]
# **Next:** lesson 04 asks what to do with a gradient: how far to step, and in which direction really.
