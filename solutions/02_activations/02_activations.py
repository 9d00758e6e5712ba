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
# # Lesson 02 · Activations, losses and initialisation
#
# After this lesson you can
#
# - **choose** the bend of a layer, and write it forwards and backwards;
# - **turn** scores into probabilities that never overflow, and **derive** why the gradient is $p - y$;
# - **pick** the loss that fits the question: a class, a number, a margin, a distance;
# - **compute** how large the first weights should be, and see what happens when they are not;
# - **cure** a deep network that refuses to learn.

# %% [markdown]
# **Time:** about 3¼ hours, in three or four sittings, and 40 minutes more with the exercises marked *optional, for the
# proud*. Every section says how long it takes. Good places to stop: after sections 5, 9 and 13. Next time, select the
# cell where you stopped and choose *Run All Above*: your answers are kept.
#
# **Builds on:** lesson 01. You need its vocabulary, not your answers.

# %% [markdown]
# **How it works.** As in lesson 01: a section explains, shows an example, and says **Your turn**. Write your code
# where the cell says `YOUR CODE HERE`, run it, and run the check below it. Stuck? Open one hint, not three. The boxes
# **What is wrong here?** quote slips from circulating course notes.

# %% [markdown]
# **Your turn:** run the next cell. It prepares the lesson; there is nothing to write.

# %%
import time

import numpy as np
import torch
import torch.nn.functional as functional
from scipy.special import expit  # SciPy's sigmoid, as in lesson 01

from course_lib import check, exam_numbers, exam_sheet, ready
from course_lib.data import load_digits, one_hot
from course_lib.erf import erf  # section 5 says what that is
from course_lib.plots import activations as plots
from course_lib.widgets.activations import ActivationExplorer, SoftmaxTemperature
from course_lib.widgets.initialisation import DeadReluMeter, SpreadOverLayers

LEARNER = "self-study"
SEED = 1
torch.set_num_threads(1)  # networks this small only lose time when threads wait for each other
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
print("Torch will use", "the graphics card." if DEVICE == "cuda" else "the processor: enough for every cell here.")

# %% [markdown]
# ## 1 · A patient
#
# *10 minutes.* In lesson 01 a network 64-32-10 learnt to read digits. Surely more layers read better? We put four
# hidden layers in place of one and change nothing else: sigmoids everywhere, squared error, weights between plus and
# minus one over the root of the number of inputs, rate 2.

# %% [markdown]
# A few short functions of Torch code do the training; autograd goes backwards. The lab will use them again, so read
# them once. The weights of a network are a list of pairs `(w, b)`, one per layer.


# %%
def torch_scores(x, pairs, bend):
    """Scores of the last layer of a network whose hidden layers all end with `bend`."""
    for w, b in pairs[:-1]:
        x = bend(x @ w.T + b)
    w, b = pairs[-1]
    return x @ w.T + b


def torch_step(bend, loss_of):
    """A function that gives the loss and its gradients, as pairs, for a batch."""

    def step(x, labels, pairs):
        leaves = [[torch.as_tensor(item).detach().requires_grad_() for item in pair] for pair in pairs]
        loss = loss_of(torch_scores(x, leaves, bend), labels)
        loss.backward()
        return loss.detach(), [(w.grad, b.grad) for w, b in leaves]

    return step


# %%
def train(step, x, labels, pairs, rate, epochs, batch=32):
    """Mini-batch gradient descent: final pairs, loss per epoch, seconds."""
    rng, losses, started = np.random.default_rng(SEED), [], time.perf_counter()
    for _ in range(epochs):
        order, total = rng.permutation(len(x)), 0.0
        for rows in np.split(order, range(batch, len(x), batch)):
            loss, gradients = step(x[rows], labels[rows], pairs)
            pairs = [(w - rate * dw, b - rate * db) for (w, b), (dw, db) in zip(pairs, gradients, strict=True)]
            total += float(loss) * len(rows)
        losses.append(total / len(x))
    return pairs, losses, time.perf_counter() - started


def on_device(pairs):
    """The same weights as Torch tensors, where Torch computes."""
    return [tuple(torch.as_tensor(item, device=DEVICE) for item in pair) for pair in pairs]


# %%
def old_start(sizes):
    """Lesson 01's start: uniform in plus or minus one over the root of the inputs, biases zero."""
    rng = np.random.default_rng(SEED)
    return [
        (rng.uniform(-1, 1, (after, before)) / np.sqrt(before), np.zeros(after))
        for before, after in zip(sizes[:-1], sizes[1:], strict=True)
    ]


def old_loss(scores, labels):
    """Lesson 01's loss: sigmoid, then squared error, summed over the ten outputs."""
    return ((torch.sigmoid(scores) - functional.one_hot(labels, 10)) ** 2).sum(dim=1).mean()


# %% [markdown]
# **Predict:** after 15 epochs one hidden layer gets 96 % of the validation images right. What will four get?
# (Guessing blindly gives about 10 %.)

# %%
digits = load_digits()
train_x, train_labels = (torch.tensor(part, device=DEVICE) for part in (digits.x_train, digits.y_train))


def percent_right(pairs, bend, images, truth):
    """Percentage of images whose largest score is that of the right digit."""
    guess = torch_scores(torch.tensor(images), [(w.cpu(), b.cpu()) for w, b in on_device(pairs)], bend).argmax(dim=1)
    return 100 * float((guess.numpy() == truth).mean())


# %%
patient = {}
for layout in ([64, 32, 10], [64, 32, 32, 32, 32, 10]):
    print("training", layout, "...")
    trained, patient[f"hidden layers: {len(layout) - 2}"], _ = train(
        torch_step(torch.sigmoid, old_loss), train_x, train_labels, on_device(old_start(layout)), 2.0, 15
    )
    print(f"  {percent_right(trained, torch.sigmoid, digits.x_validation, digits.y_validation):.1f} % right")

# %%
plots.training_race(patient, "Lesson 01's recipe, one layer and four", "squared error per image")

# %% [markdown]
# Nothing crashed, nothing overflowed: the deep network simply does not learn. Its loss stays at 0.9, what you get for
# answering 0.1 ten times. Three silent choices are to blame: the **bend**, the **loss** and the **start**. This
# lesson examines them one after the other, and in the lab you cure the patient.

# %% [markdown]
# ### The sigmoid and its slope, once more
#
# $$\sigma(z) = \frac{1}{1+e^{-z}}, \qquad \sigma'(z) = \sigma(z)\,(1-\sigma(z)) \le \tfrac14 .$$
#
# The slope needs only the output $s = \sigma(z)$: whoever has kept $s$ goes backwards with $s\,(1 - s)$ and computes no
# exponential again. It is largest at $z = 0$ and is $\tfrac14$ there. A gradient that travels back through ten layers
# meets ten such slopes. Even if every unit sits at its best point, that is a factor of
#
# $$\left(\tfrac14\right)^{10} = 0.00000095 ,$$
#
# times what the weights do. The first layers hear almost nothing of the loss. Gradients that shrink like
# this are called **vanishing** gradients.

# %% [markdown]
# ### Saturation
#
# It gets worse away from 0. At $z = 4$ the slope is 0.0177, at $z = 8$ it is 0.000335. A unit out there is
# **saturated**: its output is nearly 0 or 1 for every example, and because the slope multiplies everything that comes
# back, its weights hardly move, however large the error. It is not wrong for good, but it is slow to be corrected.
# Large weights, large inputs and large steps all lead there.

# %%
far_out = np.array([0.0, 2.0, 4.0, 8.0])
print("score ", far_out)
print("slope ", (expit(far_out) * expit(-far_out)).round(6))

# %% [markdown]
# **Look.** A gradient of random numbers enters the last of ten layers, 64 units each, and travels back. The first
# network has sigmoids, the other one **ReLU**, $\max(z, 0)$, which the next section introduces. **Predict** how much
# of the gradient reaches layer 1 in each. (It meets nine slopes on the way, and nine matrices of random weights, which
# may well enlarge it.)


# %%
def gradient_sizes(bend, depth=10, units=64):
    """Size of the gradient at the scores of every layer, for a random gradient at the last one."""
    made = torch.Generator().manual_seed(SEED)
    values, scores = torch.randn(32, units, generator=made, dtype=torch.float64), []
    for _ in range(depth):
        w = torch.empty(units, units, dtype=torch.float64)
        torch.nn.init.normal_(w, 0, (2 / units) ** 0.5, generator=made)  # section 12 says why this number
        scores.append((values @ w.T).requires_grad_())
        values = bend(scores[-1])
    arriving = torch.randn(scores[-1].shape, generator=made, dtype=torch.float64)
    return [float(part.norm()) for part in torch.autograd.grad(values, scores, arriving)]


# %%
arrived = {"sigmoid": gradient_sizes(torch.sigmoid), "ReLU": gradient_sizes(torch.relu)}
for name, sizes in arrived.items():
    print(f"{name}: of 100 % at layer 10, {100 * sizes[0] / sizes[-1]:.3g} % reach layer 1")
plots.gradient_by_layer(arrived)

# %% [markdown]
# ## 2 · ReLU
#
# *15 minutes.* The cure for the slope is almost too simple to be a function.

# %% [markdown]
# ### ReLU and its derivative
#
# $$\operatorname{relu}(z) = \max(z, 0), \qquad
# \operatorname{relu}'(z) = \begin{cases} 1 & z > 0 \\ 0 & z < 0. \end{cases}$$
#
# At $z = 0$ there is a kink and no derivative. Computers need a number there: this course takes **0**, as Torch does.
# For positive scores the slope is exactly 1. Multiply as many ones as you like: the gradient does not fade.

# %%
plots.functions_and_slopes()

# %% [markdown]
# A layer of this course is a pair of functions. `f_forward` returns its output and a **cache**: whatever the way back
# will need, in a tuple. `f_backward` takes `dout`, the gradient by the output, and that cache, and returns the
# gradient by the input. Lesson 03 chains such pairs to whole networks.

# %% [markdown]
# **Worked example.** Scores $(-2, 0, 3)$ become $(0, 0, 3)$. Suppose the loss has slopes $d = (5, 5, 5)$ by these
# outputs. The slopes of ReLU are $(0, 0, 1)$, so by the chain rule the gradient by the scores is
#
# $$(5 \cdot 0,\; 5 \cdot 0,\; 5 \cdot 1) = (0, 0, 5) .$$

# %%
three = torch.tensor([-2.0, 0.0, 3.0], requires_grad=True)
torch.relu(three).backward(torch.tensor([5.0, 5.0, 5.0]))
print(torch.relu(three).tolist(), three.grad.tolist())

# %% [markdown]
# **Your turn: `relu_forward`** (1 point). Any shape. Choose what to keep in `cache`: you will be your own reader in
# the next exercise.


# %% nbgrader={"grade": false, "grade_id": "relu_forward", "solution": true}
def relu_forward(x):
    """The rectifier, element by element.

    Args:
        x: scores, any shape, also 0-d, float; must not be changed.

    Returns:
        out: x where it is positive, 0 elsewhere, same shape and dtype as x.
        cache: a tuple with what relu_backward needs.
    """
    ### BEGIN SOLUTION
    out = np.maximum(x, 0)
    return out, (out,)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: element by element</summary>
#
# `np.max` finds the largest number of an array. You need the larger of two numbers at every place: another function.
#
# <details><summary>Hint 2: the cache</summary>
#
# To know where x was positive you may keep x, or out, or a mask. A tuple with one entry is written `(out,)`.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `np.maximum(x, 0)` makes a new array. Return it, and a tuple that holds it.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_relu_forward", "points": 1, "solution": false}
check("relu_forward", relu_forward)

# %% [markdown]
# **Your turn: `relu_backward`** (2 points). The gradient passes where x was above 0. Nothing passes elsewhere, also
# not at exactly 0. The check hands over the cache that *your* `relu_forward` made.


# %% nbgrader={"grade": false, "grade_id": "relu_backward", "solution": true}
def relu_backward(dout, cache):
    """Gradient of relu_forward.

    Args:
        dout: gradient of the loss by the output, any shape, float; must not be changed.
        cache: what relu_forward returned second.

    Returns:
        dx: gradient of the loss by x, same shape and dtype as dout.
    """
    ### BEGIN SOLUTION
    (out,) = cache
    return dout * (out > 0)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a mask</summary>
#
# A comparison such as `out > 0` gives an array of True and False. In a product they count as 1 and 0.
#
# <details><summary>Hint 2: which sign decides?</summary>
#
# The sign of the *score* decides, not that of `dout`. A negative `dout` passes unchanged where the score was positive.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Unpack the cache with `(out,) = cache`. Then one product of `dout` and the mask. Do not write into `dout`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_relu_backward", "points": 2, "solution": false}
check("relu_backward", relu_backward)

# %% [markdown]
# ### Sparsity
#
# ReLU does not only shrink a negative score, it answers exactly $\max(0, x) = 0$. With scores that are as often
# negative as positive, about half of the units of a layer are silent for a given example, and another half for another
# example. Such a code is **sparse**: a few units speak for each input. Zeros are cheap to store and to multiply, and
# the units that speak say more clearly which kind of input this is. The sigmoid, on the other hand, never says nothing.

# %% [markdown]
# **Look.** One hidden layer of 200 units with random weights sees the digits. **Predict** the share of exact zeros
# among its outputs, with ReLU and with the sigmoid.

# %%
random_w = np.random.default_rng(SEED).normal(0, np.sqrt(2 / 64), (200, 64))
random_scores = torch.tensor(digits.x_train @ random_w.T)
for name, bent in (("ReLU", torch.relu(random_scores)), ("sigmoid", torch.sigmoid(random_scores))):
    print(f"{name}: {100 * float((bent == 0).double().mean()):.1f} % zeros")

# %% [markdown]
# ## 3 · tanh
#
# *10 minutes.* Before ReLU, many networks used a centred relative of the sigmoid.

# %% [markdown]
# ### tanh and its derivative
#
# $$\tanh(z) = \frac{e^{z} - e^{-z}}{e^{z} + e^{-z}} = 2\,\sigma(2z) - 1, \qquad \tanh'(z) = 1 - \tanh^2(z) .$$
#
# It runs from $-1$ to $1$, and its slope at 0 is 1, four times that of the sigmoid. It saturates too: at $z = 4$ the
# slope is only 0.00134.

# %% [markdown]
# **Why centred helps.** A sigmoid layer answers with positive numbers only. The gradient of a weight is delta times
# input, so all weights into one unit get gradients of the *same sign* for an example: they can only grow together or
# shrink together, and the path zigzags. tanh answers around 0, and that constraint is gone.

# %% [markdown]
# **Worked example.** $\tanh(0.5) = 2\,\sigma(1) - 1 = 2 \cdot 0.7311 - 1 = 0.462$. The slope there is
# $1 - 0.462^2 = 0.786$. As with the sigmoid, the slope needs only the *output*: that is what a good cache holds.

# %%
print((2 * expit(1.0) - 1).round(4), np.tanh(0.5).round(4), (1 - np.tanh(0.5) ** 2).round(4))

# %% [markdown]
# **Your turn: `tanh_forward`** (1 point). The definition overflows for large scores, as lesson 01's sigmoid did. NumPy
# has a function that does not, or you build it from exponentials of numbers that are never positive.


# %% nbgrader={"grade": false, "grade_id": "tanh_forward", "solution": true}
def tanh_forward(x):
    """The hyperbolic tangent, element by element, without overflow.

    Args:
        x: scores, any shape, also 0-d, float; values up to 1000 in size and beyond; must not be changed.

    Returns:
        out: values from -1 to 1, same shape and dtype as x, never NaN.
        cache: a tuple with what tanh_backward needs.
    """
    ### BEGIN SOLUTION
    out = np.tanh(x)
    return out, (out,)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two ways</summary>
#
# Look for a NumPy function of that name, or use $2\,\sigma(2z) - 1$ with a sigmoid that does not overflow.
#
# <details><summary>Hint 2: the cache</summary>
#
# The slope is $1 - \text{out}^2$. So keep the output.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `np.tanh(x)`, then return it and a tuple that holds it.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_tanh_forward", "points": 1, "solution": false}
check("tanh_forward", tanh_forward)

# %% [markdown]
# **Your turn: `tanh_backward`** (2 points). The trap of lesson 01 again: the slope of which value do you need, and what
# has been through tanh already?


# %% nbgrader={"grade": false, "grade_id": "tanh_backward", "solution": true}
def tanh_backward(dout, cache):
    """Gradient of tanh_forward.

    Args:
        dout: gradient of the loss by the output, any shape, float; must not be changed.
        cache: what tanh_forward returned second.

    Returns:
        dx: gradient of the loss by x, same shape and dtype as dout.
    """
    ### BEGIN SOLUTION
    (out,) = cache
    return dout * (1 - out**2)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two factors</summary>
#
# The chain rule: what arrives, times the local slope.
#
# <details><summary>Hint 2: the local slope</summary>
#
# It is $1 - \tanh^2(z)$, and $\tanh(z)$ is the output. Do not apply tanh a second time.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# One minus the square of `out`, times `dout`. Write a new array: `dout *= ...` would change the caller's.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_tanh_backward", "points": 2, "solution": false}
check("tanh_backward", tanh_backward)

# %% [markdown]
# **Look.** Functions and slopes under your hands. **Predict** first how far from 0 a score must be before the sigmoid's
# slope falls below 0.01; then reach the two goals. For the second one try every function of the
# list; section 5 will say why.

# %%
ActivationExplorer()

# %% [markdown]
# ## 4 · When ReLU dies, and a leak that helps
#
# *10 minutes.* Slope 1 on one side has its price on the other: slope 0.

# %% [markdown]
# ### Dead units
#
# Suppose one step that was too large pushes the bias of a ReLU unit far down, so that its score is negative for
# *every* example. Then it answers 0 for all of them, and its slope is 0 for all of them. The gradient of its weights is
#
# $$\sum_i \underbrace{\frac{\partial L}{\partial h_i}\cdot \operatorname{relu}'(z_i)}_{0 \text{ for every } i}\; x_i
# = 0 ,$$
#
# so no later step will ever move them. The unit is **dead**: paid for, but never heard again. Only a change of the
# layers *before* it can wake it.

# %% [markdown]
# **Look.** A small ReLU network trains anew whenever you move the rate. **Predict** what becomes of its 16 units when
# the rate goes from 0.01 to 100. **Your goals:** a low loss without a dead unit, then a low loss with half of the units
# dead.

# %%
DeadReluMeter()

# %% [markdown]
# ### Leaky ReLU
#
# Give the left side a small slope $a$, often 0.01, and no unit is ever cut off completely:
#
# $$\operatorname{leaky}(z) = \begin{cases} z & z > 0 \\ a\,z & z \le 0, \end{cases} \qquad
# \operatorname{leaky}'(z) = \begin{cases} 1 & z > 0 \\ a & z \le 0. \end{cases}$$
#
# A unit that fell asleep now learns slowly, and may come back. The price is sparsity: its outputs are no longer exactly
# 0. At the kink this course takes the slope $a$, as Torch does. The number $a$ is a hyperparameter; one can also let
# training find it, one for each unit.

# %% [markdown]
# **Worked example.** With $a = 0.1$ the scores $(-2, 0, 3)$ become $(-0.2, 0, 3)$. Beware of the short form
# $\max(z, a z)$: for $a = 2$ and $z = 3$ it says 6. It is right only while $a \le 1$. Take the definition.

# %%
print(functional.leaky_relu(torch.tensor([-2.0, 0.0, 3.0]), 0.1).tolist())

# %% [markdown]
# **Your turn: `leaky_relu`** (1 point). Any shape, any slope.


# %% nbgrader={"grade": false, "grade_id": "leaky_relu", "solution": true}
def leaky_relu(x, slope=0.01):
    """The rectifier that leaks: x above 0, slope * x elsewhere.

    Args:
        x: scores, any shape, also 0-d, float; must not be changed.
        slope: the slope at and below 0, any number, also above 1.

    Returns:
        out: same shape and dtype as x.
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, x, slope * x)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two cases</summary>
#
# You met `np.where(condition, one, other)` in lesson 01. It picks element by element.
#
# <details><summary>Hint 2: or two parts</summary>
#
# Every number is the sum of its positive part and its negative part. Only the negative part is multiplied.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# The condition is `x > 0`, the first choice is x, the other one x times the slope.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_leaky_relu", "points": 1, "solution": false}
check("leaky_relu", leaky_relu)

# %% [markdown]
# ## 5 · GELU, the smooth one
#
# *5 minutes, and 10 more for the optional exercise.* Many language models use a bend that is nearly ReLU, but round.

# %% [markdown]
# ### GELU, exact form
#
# Let $\Phi(z)$ be the probability that a standard normal number is below $z$. Then
#
# $$\operatorname{gelu}(z) = z\,\Phi(z) = \frac z2 \Bigl(1 + \operatorname{erf}\bigl(z/\sqrt 2\bigr)\Bigr).$$
#
# Far right $\Phi$ is 1 and gelu is $z$; far left it is 0. In between a score is kept *in proportion to how unusually
# large it is*. There is no kink at 0, and the function even goes down a little before it rises.

# %% [markdown]
# Here $\operatorname{erf}$ is the error function, a relative of the area under the bell curve. It has no short formula.
# Python has `math.erf` for one number, and this course has `erf` for arrays; the setup cell imports it.

# %% [markdown]
# ### GELU, tanh form
#
# When erf was slow, people replaced $\Phi$ by a tanh of a small polynomial:
#
# $$\operatorname{gelu}(z) \approx \frac z2 \Bigl(1 + \tanh\bigl(\sqrt{2/\pi}\,(z + 0.044715\, z^3)\bigr)\Bigr).$$
#
# The two differ by at most 0.00047, near $|z| = 2.7$. That is invisible in a picture and very visible when you compare
# a trained model with your own code and every digit is off in the fourth place. Torch's default is the exact form, and
# GPT-2 was trained with the other one. Say which one you mean.

# %%
plots.rectifiers()

# %% [markdown]
# **Worked example.** $\Phi(1) = 0.8413$, so gelu(1) is 0.8413 and gelu(-1) is $-1 \cdot (1 - 0.8413) = -0.1587$. The
# tanh form gives 0.8412. A negative score is damped here, not cut. GELU is lowest, $-0.17$, near $-0.75$.

# %%
pair_of_ones = torch.tensor([-1.0, 1.0])
print(functional.gelu(pair_of_ones), functional.gelu(pair_of_ones, approximate="tanh"))

# %% [markdown]
# **Your turn: `gelu`** (2 points, *optional, for the proud*). Both forms, chosen by a word.


# %% nbgrader={"grade": false, "grade_id": "gelu", "solution": true}
def gelu(x, form="erf"):
    """The Gaussian error linear unit, element by element.

    Args:
        x: scores, any shape, also 0-d, float; must not be changed.
        form: "erf" for the exact form, "tanh" for the approximation.

    Returns:
        out: same shape and dtype as x.
    """
    ### BEGIN SOLUTION
    if form == "tanh":
        return 0.5 * x * (1 + np.tanh(float(np.sqrt(2 / np.pi)) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + erf(x * 0.5**0.5))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: one factor in common</summary>
#
# Both forms are half of x times (1 + something between -1 and 1). Only the something differs.
#
# <details><summary>Hint 2: float32 stays float32</summary>
#
# A NumPy number such as `np.sqrt(2)` turns float32 into float64; a Python number does not. Write `2**0.5`, or put
# `float(...)` around it.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# For "erf" the something is `erf(x / 2**0.5)`. For "tanh" it is `np.tanh` of `(2 / np.pi) ** 0.5` times
# `(x + 0.044715 * x * x * x)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_gelu", "points": 2, "solution": false}
check("gelu", gelu)

# %% [markdown]
# **Which one, then?** ReLU is a good first choice: cheap, and slope 1. Leaky ReLU or GELU when units die or a smooth
# function is wanted. tanh where outputs must stay bounded. The sigmoid for *outputs* that are probabilities of yes,
# hardly ever between layers.

# %% [markdown]
# ## 6 · From scores to probabilities: softmax
#
# *15 minutes.* Ten sigmoids answer ten yes-or-no questions. But a digit is exactly one of ten things, so the ten
# answers should compete.

# %% [markdown]
# ### Softmax
#
# Make every score positive by $\exp$, then divide by the sum. For the scores $z_1, \dots, z_K$ of one example:
#
# $$p_k = \frac{e^{z_k}}{\sum_{j=1}^{K} e^{z_j}} .$$
#
# All $p_k$ are positive and they add up to 1: a probability for each class. Scores before the softmax are called
# **logits**.

# %% [markdown]
# **What is wrong here?** A table of a famous network ends with "fc3: dense, one output per class, then ReLU", and a
# softmax follows.
# <details><summary>Answer</summary>
#
# The last layer gives logits, without a bend. ReLU would make all negative scores equal to 0: classes that are unlikely
# and classes that are impossible would get the same probability, and no gradient would tell them apart.
# </details>

# %% [markdown]
# **Worked example.** Scores $(2, 1, 0)$: powers $7.39$, $2.72$, $1$, sum $11.11$, so $p = (0.665, 0.245, 0.090)$. Add
# 100 to all three scores: every power and the sum grow by the same factor $e^{100}$, and $p$ stays. **Only
# differences of scores count.**

# %%
print(functional.softmax(torch.tensor([[2.0, 1.0, 0.0], [102.0, 101.0, 100.0]]), dim=1))

# %% [markdown]
# **A trap with a way out.** $e^{1000}$ is too large for any float, and infinity over infinity is not a number. But
# shifts are free: subtract the largest score of the row first. Then the largest power is $e^0 = 1$, nothing
# overflows, and the sum is at least 1.

# %% [markdown]
# **Your turn: `softmax`** (2 points). Along any axis; rows (or columns) have nothing to do with each other.


# %% nbgrader={"grade": false, "grade_id": "softmax", "solution": true}
def softmax(x, axis=-1):
    """Scores to probabilities that sum to 1 along an axis, without overflow.

    Args:
        x: scores, at least one axis, float; values up to 1000 in size and beyond; must not be changed.
        axis: the axis along which the probabilities sum to 1; the last one unless told otherwise.

    Returns:
        p: same shape and dtype as x, never NaN.
    """
    ### BEGIN SOLUTION
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: three moves</summary>
#
# Subtract the maximum, take the exponential, divide by the sum. Maximum and sum both run along `axis`.
#
# <details><summary>Hint 2: shapes that fit</summary>
#
# `x.max(axis=axis)` drops an axis, and NumPy may then subtract it from the wrong one. `keepdims=True` keeps it with
# length 1.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `powers = np.exp(x - ...)` with the maximum along the axis, then `powers` over its sum along the axis, both with
# `keepdims=True`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_softmax", "points": 2, "solution": false}
check("softmax", softmax)

# %% [markdown]
# ### Temperature
#
# Divide all scores by a **temperature** $T$ first: $p_k \propto e^{z_k/T}$. A small $T$ makes differences large, and
# one class takes nearly everything; a large $T$ evens all out. $T \to 0$ gives the class with the largest score (hence
# the name *soft max*), $T \to \infty$ gives $1/K$ for each. The order of the classes never changes. Language models
# use $T$ to be more or less adventurous when they pick the next word.

# %%
three_scores = torch.tensor([2.0, 1.0, 0.0])
named_scores = ["score 2", "score 1", "score 0"]
plots.temperatures(named_scores, {heat: (three_scores / heat).softmax(dim=0).tolist() for heat in (0.5, 1.0, 5.0)})

# %% [markdown]
# **Look.** Four scores and a temperature. **Predict** both ends first: what does $T \to 0$ do, and what $T \to \infty$?
# Then reach the two goals. For the second one, think about which scores stay equal, however cold it gets.

# %%
SoftmaxTemperature()

# %% [markdown]
# ## 7 · Bug hunt: the logarithm of the softmax
#
# *15 minutes.* The next section needs $\ln p_k$. A classmate took the obvious way, and was careful about overflow.

# %% [markdown]
# ### Log-softmax
#
# $$\ln p_k = z_k - \ln \sum_{j} e^{z_j} .$$
#
# For $(2, 1, 0)$: $\ln 11.11 = 2.408$, so $(-0.408, -1.408, -2.408)$. Here is the classmate's version. On these scores
# it is right to the last digit, and on most batches too. On one day of training the loss turned into `nan`, and
# nobody knew why.


# %%
def log_softmax_suspect(values, axis=-1):
    """Two things are wrong. Ordinary scores show neither."""
    powers = np.exp(values - values.max())
    return np.log(powers / powers.sum(axis=axis, keepdims=True))


print(log_softmax_suspect(np.array([2.0, 1.0, 0.0])).round(3))


# %% [markdown]
# **The tools: three promises.** (1) The exponentials of the answer add up to 1 in each row. (2) A row gives the same
# answer alone as among others. (3) Finite scores give finite logarithms: $\ln p_k$ is at least the difference to the
# largest score, minus $\ln K$. **Predict** which promise each of the three batches breaks, if any.


# %%
def promises(function, batch):
    """Print which of the three promises a log-softmax keeps on a batch of rows."""
    with np.errstate(all="ignore"):  # the warnings are what this cell is about
        together = function(batch)
        alone = np.concatenate([function(row[None]) for row in batch])
    print("  sums to 1:", np.allclose(np.exp(together).sum(axis=-1), 1), end="; ")
    print("rows alone the same:", np.allclose(together, alone), end="; ")
    print("finite:", bool(np.isfinite(together).all()))


# %%
batches = {
    "ordinary scores": np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]]),
    "one row far below": np.array([[2.0, 1.0, 0.0], [-998.0, -999.0, -1000.0]]),
    "one score far below": np.array([[2.0, 1.0, -1000.0], [0.0, 3.0, 1.0]]),
}
for name, batch in batches.items():
    print(name)
    promises(log_softmax_suspect, batch)

# %% [markdown]
# Two different batches, two different bugs. In the second batch a whole row disappears; in the third only one number
# does, and its logarithm with it. A tiny number added inside the logarithm would hide the second bug and make every
# answer a little wrong: no repair.
#
# **Your turn: `log_softmax`** (3 points). Write the function as it should be, along any axis.


# %% nbgrader={"grade": false, "grade_id": "log_softmax", "solution": true}
def log_softmax(x, axis=-1):
    """Logarithms of the softmax along an axis, finite for finite scores.

    Args:
        x: scores, at least one axis, float; values up to 1000 in size and beyond; must not be changed.
        axis: the axis along which the probabilities sum to 1; the last one unless told otherwise.

    Returns:
        log_p: same shape and dtype as x, all at or below 0.
    """
    ### BEGIN SOLUTION
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: the row that disappears</summary>
#
# From what does the suspect subtract which maximum? In your `softmax` you did that better.
#
# <details><summary>Hint 2: the number that disappears</summary>
#
# $e^{-1002}$ is 0 in a float, and $\ln 0$ is minus infinity. But $\ln e^{-1002}$ is known without computing either:
# use the formula above, in which no single power meets the logarithm.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `shifted` is x minus the maximum along the axis. The answer is `shifted` minus the logarithm of the sum, along the
# axis, of the exponentials of `shifted`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_log_softmax", "points": 3, "solution": false}
check("log_softmax", log_softmax)

# %% [markdown]
# **Look.** Your function on the three batches. All nine promises should be kept.

# %%
if ready(log_softmax=log_softmax):
    for name, batch in batches.items():
        print(name)
        promises(log_softmax, batch)

# %% [markdown]
# ## 8 · All derivatives of the softmax
#
# *5 minutes, and 15 more for the optional exercise.* Each probability depends on every score: one nudge moves them all.

# %% [markdown]
# ### The softmax Jacobian
#
# Differentiate the quotient, once for the class itself and once for another one:
#
# $$\frac{\partial p_i}{\partial z_i} = p_i\,(1 - p_i), \qquad
# \frac{\partial p_i}{\partial z_j} = -\,p_i\, p_j \quad (i \ne j).$$
#
# In one line, with $\delta_{ij} = 1$ for $i = j$ and 0 otherwise: $J_{ij} = p_i\,(\delta_{ij} - p_j)$. As a matrix,
# $J = \operatorname{diag}(p) - p\,p^\top$. Such a table of all derivatives is called a **Jacobian**.

# %% [markdown]
# **Worked example.** For $p = (0.665, 0.245, 0.090)$: $J_{11} = 0.665 \cdot 0.335 = 0.223$ and
# $J_{12} = -0.665 \cdot 0.245 = -0.163$. Every row adds up to 0, because shifting all scores changes nothing; every
# column too, because the probabilities always sum to 1. The diagonal alone is the sigmoid's $s(1-s)$: whoever forgets
# the rest forgets that classes compete.

# %%
plots.jacobian(torch.autograd.functional.jacobian(lambda row: row.softmax(dim=0), three_scores).numpy())

# %% [markdown]
# **Your turn: `softmax_jacobian`** (3 points, *optional, for the proud*). One table for each row of scores, also when
# there are several axes before the last one.


# %% nbgrader={"grade": false, "grade_id": "softmax_jacobian", "solution": true}
def softmax_jacobian(x):
    """All derivatives of the softmax along the last axis.

    Args:
        x: scores, shape (..., K), float; must not be changed.

    Returns:
        J: shape (..., K, K), same dtype as x; J[..., i, j] is the derivative of p_i by z_j.
    """
    ### BEGIN SOLUTION
    p = softmax(x)
    return p[..., :, None] * (np.eye(x.shape[-1], dtype=x.dtype) - p[..., None, :])
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two parts</summary>
#
# For one row: a matrix with p on its diagonal, minus the table of all products of two entries of p.
#
# <details><summary>Hint 2: all rows at once</summary>
#
# `p[..., :, None]` has shape (..., K, 1) and `p[..., None, :]` has shape (..., 1, K). Their product has shape
# (..., K, K).
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `np.eye(K)` is the $\delta_{ij}$ of the formula; give it the dtype of x. Subtract `p[..., None, :]` from it, and
# multiply by `p[..., :, None]`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_softmax_jacobian", "points": 3, "solution": false}
check("softmax_jacobian", softmax_jacobian)

# %% [markdown]
# **Look.** **Predict** the Jacobian's largest entry when the network is very sure, say with scores $(20, 0, 0)$. What
# does that mean for a loss that is built on $p$, when the sure answer is wrong?

# %%
sure = torch.autograd.functional.jacobian(lambda row: row.softmax(dim=0), torch.tensor([20.0, 0.0, 0.0]))
print(f"largest entry: {float(sure.abs().max()):.1e}")

# %% [markdown]
# Saturation is back: a softmax that is sure has no slope. The next loss repairs exactly that.

# %% [markdown]
# ## 9 · Cross-entropy
#
# *15 minutes.* Which loss should judge probabilities?

# %% [markdown]
# ### Cross-entropy
#
# Pay minus the logarithm of the probability that was given to the class $c_i$ that was right:
#
# $$L = -\frac1N \sum_{i=1}^{N} \ln p_{i, c_i}
# = -\frac1N \sum_{i=1}^N \sum_{k=1}^K y_{ik} \ln p_{ik} \quad \text{with one-hot } y .$$
#
# With one-hot targets only one term of the inner sum is left, so nothing is lost by looking up $p_{i,c_i}$. The formula
# on the right also fits targets that are themselves probabilities (lesson 05).

# %% [markdown]
# $p = 1$ costs nothing, $p = \tfrac12$ costs 0.69, $p = 0.001$ costs 6.9, and there is no upper limit: to be sure and
# wrong is the one thing this loss does not forgive. Blind guessing among $K$ classes costs $\ln K$, for ten digits
# 2.303. Remember that number: a network that starts far above it starts badly.

# %% [markdown]
# ### The joint derivative: p - y
#
# Put softmax and cross-entropy together, for one example with right class $c$:
#
# $$L = -\ln p_c = -z_c + \ln \sum_j e^{z_j}, \qquad
# \frac{\partial L}{\partial z_k} = -y_k + \frac{e^{z_k}}{\sum_j e^{z_j}} = p_k - y_k .$$
#
# All the products of the Jacobian have cancelled. What is left is answer minus target: the gradient vanishes only
# where the answer is right. For a batch, divide by $N$, as the loss does.

# %% [markdown]
# **Worked example.** Scores $(2, 1, 0)$, right class 1 (the middle one, we count from 0): $p = (0.665, 0.245, 0.090)$,
# loss $-\ln 0.245 = 1.408$, and $p - y = (0.665, -0.755, 0.090)$. A step against it lowers the first score most and
# raises the second one.

# %%
leaf = three_scores.clone().requires_grad_()
functional.cross_entropy(leaf[None], torch.tensor([1])).backward()
print(leaf.grad)

# %% [markdown]
# **Against squared error.** Take one sigmoid unit with target 1 at score $-6$: sure, and wrong. The squared error has
# slope $-0.0049$ there, because $s(1-s)$ is in it. Cross-entropy has slope $s - 1 = -0.998$, two hundred times more.
# (This is the short formula that lesson 01 said was right for another loss.)

# %%
plots.wrong_and_sure()

# %% [markdown]
# **Your turn: `cross_entropy`** (2 points). From scores, not from probabilities: your `log_softmax` knows how to avoid
# the logarithm of zero. `labels` are class numbers, not one-hot rows.


# %% nbgrader={"grade": false, "grade_id": "cross_entropy", "solution": true}
def cross_entropy(logits, labels):
    """Cross-entropy of the softmax of the scores, averaged over the batch.

    Args:
        logits: scores, shape (N, K), float; values up to 1000 in size and beyond; must not be changed.
        labels: the right class of each row, shape (N,), integers from 0 to K - 1.

    Returns:
        loss: a number (0-d), same dtype as logits.
    """
    ### BEGIN SOLUTION
    return -log_softmax(logits)[np.arange(len(labels)), labels].mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: one number per row</summary>
#
# Compute `log_softmax(logits)`, shape (N, K). From row i you need only the entry in column `labels[i]`.
#
# <details><summary>Hint 2: picking entries</summary>
#
# `table[rows, columns]` with two integer arrays of length N picks N entries. The rows are 0, 1, ..., N - 1.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `np.arange(len(labels))` gives the rows. Pick, take the mean, change the sign.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_cross_entropy", "points": 2, "solution": false}
check("cross_entropy", cross_entropy)

# %% [markdown]
# **Look.** **Predict** the loss of random scores around 0 on the digits, then of scores a hundred times as large. Your
# function answers once it passes, Torch's until then.

# %%
small_scores = np.random.default_rng(SEED).normal(0, 0.1, (300, 10))
if ready(cross_entropy=cross_entropy):
    print("yours:", *(cross_entropy(size * small_scores, digits.y_test).round(3) for size in (1, 100)))
truth = torch.tensor(digits.y_test)
print("Torch:", *(round(float(functional.cross_entropy(torch.tensor(size * small_scores), truth)), 3)
                  for size in (1, 100)))  # fmt: skip

# %% [markdown]
# ## 10 · Losses for numbers, and sums of losses
#
# *10 minutes, no exercise.* Not every answer is a class. How many degrees tomorrow? Where in the image is the face?

# %% [markdown]
# ### Squared and absolute error
#
# For a target $y$ and an answer $o$ of $D$ numbers:
#
# $$\lVert y - o \rVert_2^2 = \sum_{k} (y_k - o_k)^2, \qquad \lVert y - o \rVert_1 = \sum_k |y_k - o_k| .$$
#
# Their slopes by $o_k$ are $2\,(o_k - y_k)$ and $\operatorname{sign}(o_k - y_k)$. The squared error cares about large
# mistakes above all; the absolute error pulls equally hard at every size, and its slope jumps at 0, where this course
# takes 0.

# %% [markdown]
# **Worked example.** One constant answer for the five values 1, 2, 3, 4 and 20. The mean, 6, has the smallest squared
# error; the median, 3, the smallest absolute one. Had the 20 been a 5, both would be 3: a single strange value pulls
# the mean by three, and the median not at all. **Outliers** are a reason to choose the absolute error.

# %%
plots.number_losses([1, 2, 3, 4, 20])

# %% [markdown]
# **What is wrong here?** Slides on regression losses write the squared error as $\lVert y\, o \rVert_2^2$ and the
# absolute error as $\lVert y\, o \rVert_1$. Try $y = (1, 0)$, $o = (0, 1)$: what would the loss be?
# <details><summary>Answer</summary>
#
# The minus sign is lost: it must be $y - o$. As written, entry by entry, the loss of our two vectors would be 0,
# although every number is wrong, and a perfect answer $o = y$ would cost something. When a formula looks odd, put in a
# case whose answer you know.
# </details>

# %% [markdown]
# ### Combined losses
#
# A network may answer several questions at once: *which* animal (class) and *where* (four numbers of a box). Each
# question has its own outputs and its own loss, and training needs one number:
#
# $$L = \lambda_1 L_{\text{class}} + \lambda_2 L_{\text{box}}, \qquad
# \frac{\partial L}{\partial \theta} = \lambda_1 \frac{\partial L_{\text{class}}}{\partial \theta}
# + \lambda_2 \frac{\partial L_{\text{box}}}{\partial \theta}.$$
#
# The weights $\lambda$ are hyperparameters. They must also make up for units: a box in pixels costs thousands, a class
# costs about 2. Without weights the network would learn boxes and ignore animals.

# %% [markdown]
# *Quick test.* $L_{\text{class}} = 2$ and $L_{\text{box}} = 5{,}000$ square pixels. Which $\lambda_2$ lets both count
# the same, with $\lambda_1 = 1$?
# <details><summary>Answer</summary>
#
# $\lambda_2 = 2/5{,}000 = 0.0004$. Or measure the box in hundreds of pixels: then its loss is 0.5 already.
# </details>

# %% [markdown]
# ## 11 · Margins and distances
#
# *10 minutes, and 15 more for the optional exercise.* Two losses that are satisfied at some point, and stop.

# %% [markdown]
# ### Hinge loss
#
# The right class should win by a **margin** of at least 1. Every other class that comes closer pays what is missing:
#
# $$L = \frac1N \sum_{i=1}^N \sum_{k \ne c_i} \max\bigl(0,\; z_{ik} - z_{i c_i} + 1\bigr).$$
#
# An example whose right class leads by enough costs exactly 0 and has no gradient: it is left alone. Scores stay
# scores; no probability is meant. With a linear model this is the support vector machine.

# %% [markdown]
# **Worked example.** Scores $(3, 2.5, 0)$, right class 0. Class 1 pays $2.5 - 3 + 1 = 0.5$, class 2 pays
# $\max(0, -2) = 0$: together 0.5. Torch's `multi_margin_loss` says 0.1667, because it divides by the number of
# classes. Ours does not.

# %%
print(functional.multi_margin_loss(torch.tensor([[3.0, 2.5, 0.0]]), torch.tensor([0])))

# %% [markdown]
# For two classes with targets $\pm 1$ and one score $z$, the margin is $m = y\,z$: positive when the sign is right.
# Then the losses of this lesson can be drawn side by side. **Predict** which of them punish an answer for being *too*
# right.

# %%
plots.margin_losses()

# %% [markdown]
# Squared and absolute error do, beyond margin 1: they want exactly 1. That is one reason not to use them for classes.

# %% [markdown]
# **Your turn: `hinge_loss`** (2 points). Sum over the *other* classes, mean over the batch, any margin.


# %% nbgrader={"grade": false, "grade_id": "hinge_loss", "solution": true}
def hinge_loss(scores, labels, margin=1.0):
    """Hinge loss for several classes.

    Args:
        scores: one per class, shape (N, K), float; must not be changed.
        labels: the right class of each row, shape (N,), integers from 0 to K - 1.
        margin: by how much the right class must win, a positive number.

    Returns:
        loss: a number (0-d), summed over the other classes and averaged over the batch.
    """
    ### BEGIN SOLUTION
    rows = np.arange(len(labels))
    missing = np.maximum(scores - scores[rows, labels][:, None] + margin, 0)
    missing[rows, labels] = 0
    return missing.sum() / len(labels)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: all differences at once</summary>
#
# Pick the score of the right class of each row, as in `cross_entropy`, and subtract it from the whole row. Shape (N,)
# must become (N, 1) for that.
#
# <details><summary>Hint 2: the right class itself</summary>
#
# For the right class the formula would give exactly the margin. It does not belong to the sum: set it to 0 in your own
# array.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `np.maximum(scores - right[:, None] + margin, 0)`, then zeros at `[rows, labels]`, then the sum over everything,
# divided by N.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_hinge_loss", "points": 2, "solution": false}
check("hinge_loss", hinge_loss)

# %% [markdown]
# ### Metric learning: the contrastive loss
#
# A thousand faces today, another thousand tomorrow: classes are of no use, but *same person or not* is. Let the network
# map each image to a point, an **embedding**, and train distances. For a pair with distance $d$:
#
# $$\ell = \tfrac12\, d^2 \;\text{ if they belong together}, \qquad
# \ell = \tfrac12 \max(0,\, m - d)^2 \;\text{ if not.}$$
#
# What belongs together is pulled; what does not is pushed until it is $m$ apart, and then left alone. Without the
# second half all images would collapse into one point, and the loss would be 0.

# %% [markdown]
# **Worked example.** Margin $m = 1$. A pair of the same person at distance 3 costs $\tfrac12 \cdot 9 = 4.5$. Two
# different people at distance 0.5 cost $\tfrac12 (1 - 0.5)^2 = 0.125$; at distance 2 they cost nothing.

# %% [markdown]
# ### The triplet loss
#
# Distances need no absolute scale. Take an **anchor** $a$, a **positive** $p$ of the same person and a **negative** $n$
# of another one. The positive should be nearer, by a margin:
#
# $$L = \frac1N \sum_{i=1}^N \max\bigl(0,\; \lVert a_i - p_i \rVert - \lVert a_i - n_i \rVert + m\bigr).$$
#
# Most random triplets cost 0 soon, so training looks for hard ones: negatives inside the dashed circle of the picture.

# %%
plots.triplet([0.0, 0.0], [1.0, 0.6], [-1.2, 1.0], 1.0)

# %% [markdown]
# **Worked example.** $\lVert a - p \rVert = \sqrt{1 + 0.36} = 1.166$, $\lVert a - n \rVert = \sqrt{1.44 + 1} = 1.562$:
# the positive is nearer, but only by 0.396. The loss is $1.166 - 1.562 + 1 = 0.604$. The root has no slope at
# distance 0, so Torch adds $10^{-6}$ to every difference before it takes the length. We do the same.

# %%
three_points = (torch.tensor([point]) for point in ([0.0, 0.0], [1.0, 0.6], [-1.2, 1.0]))
print(functional.triplet_margin_loss(*three_points))

# %% [markdown]
# **Your turn: `triplet_loss`** (2 points, *optional, for the proud*). Plain lengths, not squared; $10^{-6}$ added to
# each difference.


# %% nbgrader={"grade": false, "grade_id": "triplet_loss", "solution": true}
def triplet_loss(anchor, positive, negative, margin=1.0):
    """Triplet loss on plain distances, averaged over the batch.

    Args:
        anchor: embeddings, shape (N, D), float.
        positive: what belongs to them, shape (N, D).
        negative: what does not, shape (N, D).
        margin: by how much the positive must be nearer, a positive number.

    Returns:
        loss: a number (0-d); each distance is the length of (difference + 1e-6).
    """
    ### BEGIN SOLUTION
    near = np.sqrt(((anchor - positive + 1e-6) ** 2).sum(axis=1))
    far = np.sqrt(((anchor - negative + 1e-6) ** 2).sum(axis=1))
    return np.maximum(near - far + margin, 0).mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: one distance per row</summary>
#
# A length is the root of the sum of squares along a row. `np.linalg.norm(..., axis=1)` does the same.
#
# <details><summary>Hint 2: the order of things</summary>
#
# First the maximum with 0 for each triplet, then the mean. The other order lets easy triplets pay for hard ones.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `near` from `anchor - positive + 1e-6`, `far` from `anchor - negative + 1e-6`, then the mean of
# `np.maximum(near - far + margin, 0)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_triplet_loss", "points": 2, "solution": false}
check("triplet_loss", triplet_loss)

# %% [markdown]
# **Look.** Raw digits as embeddings, without any training: 200 triplets of test images, each with an anchor, another
# image of the same digit, and one of another digit. **Predict** for how many of them the positive is nearer already.

# %%
picked = np.random.default_rng(SEED).permutation(300)[:200]
others = [[np.flatnonzero(same) for same in (digits.y_test == digits.y_test[k], digits.y_test != digits.y_test[k])]
          for k in picked]  # fmt: skip
near_index = np.array([alike[alike != k][0] for k, (alike, _) in zip(picked, others, strict=True)])
far_index = np.array([unlike[k % len(unlike)] for k, (_, unlike) in zip(picked, others, strict=True)])
to_near, to_far = (
    np.linalg.norm(digits.x_test[picked] - digits.x_test[chosen], axis=1) for chosen in (near_index, far_index)
)
print("positive nearer:", int((to_near < to_far).sum()), "of 200; by 1 or more:", int((to_near + 1 <= to_far).sum()))

# %% [markdown]
# Pixels are not a bad embedding for digits this small. A trained one would also win by the margin.

# %% [markdown]
# ## 12 · Where to start
#
# *20 minutes.* Bend and loss are chosen; training still needs first weights. All zeros will not do: every unit of a
# layer would answer the same, get the same gradient and stay a copy of its neighbour. So draw them at random. How
# large?

# %% [markdown]
# ### How the spread travels
#
# A score is a sum of $n$ products, $z = \sum_j w_j h_j$, with independent weights around 0. Variances add up:
#
# $$\operatorname{Var}(z) = n \cdot \operatorname{Var}(w) \cdot \mathbb{E}[h^2] .$$
#
# Write $\operatorname{Var}(w) = g^2/n$ with a **gain** $g$. ReLU throws away half of a symmetric score, so
# $\mathbb{E}[h^2]$ is half the variance of the scores before. From one layer to the next the variance is multiplied by
# $g^2/2$, and after thirty layers by that number to the power 30.

# %% [markdown]
# **Look.** Thirty layers and one slider. **Predict** what $g = 1$ leaves of a spread of 1 after thirty ReLU layers,
# then find the gain that keeps it. A second goal asks the same for tanh.

# %%
SpreadOverLayers()

# %% [markdown]
# ### Kaiming's start
#
# The factor $g^2/2$ is 1 for $g = \sqrt2$, that is $\operatorname{Var}(w) = 2/n$. A uniform draw from $[-a, a]$ has
# variance $a^2/3$, so $a = \sqrt{6/n}$. With $n_{\text{in}}$ the inputs of one unit:
#
# $$W_0 = \sqrt{\frac{6}{n_{\text{in}}}}\;\mathcal U_{[-1, 1]}(n_{\text{out}}, n_{\text{in}}), \qquad
# b_0 = \frac{1}{\sqrt{n_{\text{in}}}}\;\mathcal U_{[-1, 1]}(n_{\text{out}}).$$
#
# This is the **Kaiming-uniform** start (He and others, 2015), made for ReLU. The small random biases are a custom;
# zero works as well.

# %% [markdown]
# **Worked example.** A layer with 64 inputs: weights between $\pm\sqrt{6/64} = \pm 0.306$, biases between
# $\pm 1/8 = \pm 0.125$. Lesson 01's start drew the *weights* between $\pm 1/8$: a variance six times smaller. With
# ReLU each layer would shrink the variance to a sixth.

# %%
kaiming_layer = torch.empty(32, 64)
torch.nn.init.kaiming_uniform_(kaiming_layer, nonlinearity="relu", generator=torch.Generator().manual_seed(SEED))
print(f"largest weight {float(kaiming_layer.max()):.3f}, variance times n_in: {float(kaiming_layer.var() * 64):.2f}")

# %% [markdown]
# **Your turn: `kaiming_uniform`** (3 points). Draw with the generator `rng` you are given, never with another
# one: whoever passes the same generator wants the same weights. For a convolution (lesson 06) `shape` has four numbers,
# and one output sees `C * kh * kw` inputs: all but the first.


# %% nbgrader={"grade": false, "grade_id": "kaiming_uniform", "solution": true}
def kaiming_uniform(shape, rng):
    """First weights and biases of a layer that a ReLU follows.

    Args:
        shape: of the weights: (outputs, inputs) of a dense layer, (K, C, kh, kw) or (K, D, width) of a convolution.
        rng: a NumPy Generator; the weights are drawn first, then the biases.

    Returns:
        w: sqrt(6 / n_in) times uniform numbers from -1 to 1, of the shape, float64.
        b: uniform numbers from -1 to 1 over sqrt(n_in), shape (outputs,), float64.
    """
    ### BEGIN SOLUTION
    n_in = np.prod(shape[1:])
    w = np.sqrt(6 / n_in) * rng.uniform(-1, 1, shape)
    return w, rng.uniform(-1, 1, shape[0]) / np.sqrt(n_in)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: how many inputs?</summary>
#
# Weights are (outputs, inputs, ...), so `shape[0]` counts units. Multiply all the other numbers: `np.prod(shape[1:])`.
#
# <details><summary>Hint 2: drawing</summary>
#
# `rng.uniform(-1, 1, shape)` gives an array of that shape. Not `rng.random`, which starts at 0, and not `rng.normal`.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Weights: `np.sqrt(6 / n_in)` times a draw of the shape. Biases: a draw of `shape[0]` numbers over `np.sqrt(n_in)`.
# Return both.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_kaiming_uniform", "points": 3, "solution": false}
check("kaiming_uniform", kaiming_uniform)

# %% [markdown]
# ### Initial weights that are too large
#
# Twice Kaiming's weights, and the scores of a ReLU network double in every layer: after thirty layers they are a
# billion times too large. That means absurdly sure answers and an enormous loss, and the first step throws the weights
# somewhere else. Half of Kaiming's weights leave a billionth, and all images look alike. Sigmoid and tanh do not blow
# up: they saturate, and that stops the gradient instead.

# %% [markdown]
# **Look.** Thirty layers of 100 ReLU units, 200 random inputs, once with half of Kaiming's weights, once as they are,
# once doubled. **Predict** where the three curves end.


# %%
def spread_of_scores(factor, depth=30, units=100):
    """Standard deviation of the scores after each of `depth` ReLU layers, for a multiple of Kaiming's weights."""
    made = torch.Generator().manual_seed(SEED)
    values, spread = torch.randn(200, units, generator=made), []
    for _ in range(depth):
        w = torch.nn.init.kaiming_uniform_(torch.empty(units, units), nonlinearity="relu", generator=made)
        z = values @ (factor * w).T
        values = torch.relu(z)
        spread.append(float(z.std()))
    return spread


# %%
thirty = {f"{factor:g} times Kaiming": spread_of_scores(factor) for factor in (0.5, 1.0, 2.0)}
for name, values in thirty.items():
    print(f"{name}: spread {values[0]:.2g} after one layer, {values[-1]:.2g} after thirty")
plots.spread_by_layer(thirty)

# %% [markdown]
# The middle curve is not perfectly flat: the rule keeps the variance *on average*, and a hundred units are a small
# sample.

# %% [markdown]
# ### Glorot's start
#
# For tanh the argument has another factor. Near 0 tanh is the identity, so forwards the variance stays when
# $\operatorname{Var}(w) = 1/n_{\text{in}}$. On the way back the *gradient* is a sum over the outputs, and stays when
# $\operatorname{Var}(w) = 1/n_{\text{out}}$. Glorot and Bengio (2010) take the middle:
#
# $$\operatorname{Var}(w) = \frac{2}{n_{\text{in}} + n_{\text{out}}}, \qquad
# W_0 = \sqrt{\frac{6}{n_{\text{in}} + n_{\text{out}}}}\;\mathcal U_{[-1,1]}, \qquad b_0 = 0 .$$
#
# It is also called the Xavier start, after the first author's first name.

# %% [markdown]
# **Worked example.** A layer from 64 to 32 units: $\sqrt{6/96} = 0.25$. Kaiming would say 0.306. For a convolution both
# counts include the window: an output sees $C \cdot k_h k_w$ inputs, and an input is seen by $K \cdot k_h k_w$ outputs.

# %% [markdown]
# **Your turn: `glorot_uniform`** (2 points). Weights only; the biases are zero.


# %% nbgrader={"grade": false, "grade_id": "glorot_uniform", "solution": true}
def glorot_uniform(shape, rng):
    """First weights of a layer that tanh follows.

    Args:
        shape: of the weights: (outputs, inputs) of a dense layer, (K, C, kh, kw) or (K, D, width) of a convolution.
        rng: a NumPy Generator.

    Returns:
        w: sqrt(6 / (n_in + n_out)) times uniform numbers from -1 to 1, of the shape, float64.
    """
    ### BEGIN SOLUTION
    window = np.prod(shape[2:])  # 1 for a dense layer
    return np.sqrt(6 / (window * (shape[0] + shape[1]))) * rng.uniform(-1, 1, shape)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: dense first</summary>
#
# For a dense layer `shape` is (outputs, inputs), so the sum is `shape[0] + shape[1]`.
#
# <details><summary>Hint 2: the window</summary>
#
# Whatever stands behind the first two numbers multiplies both counts. `np.prod` of an empty tuple is 1.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `np.sqrt(6 / (np.prod(shape[2:]) * (shape[0] + shape[1])))` times `rng.uniform(-1, 1, shape)`. One array comes back,
# not two.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_glorot_uniform", "points": 2, "solution": false}
check("glorot_uniform", glorot_uniform)

# %% [markdown]
# ## 13 · Listen to the layers
#
# *10 minutes.* Before a long training, and when one fails, look inside. Four numbers per layer say most of it.

# %% [markdown]
# ### Activation statistics
#
# For the activations $h$ of a layer, shape $(N, D)$: the **mean** and the **standard deviation** over everything; the
# **share of zeros**, how many of the $N \cdot D$ numbers are exactly 0; and the **share of dead units**, how many of
# the $D$ columns are 0 for *every* example. Half zeros and few dead units make a healthy ReLU layer. A spread that
# shrinks or grows from layer to layer points to a start with the wrong gain, dead units that appear during training to
# steps that were too large.

# %% [markdown]
# **Worked example.** Two examples, three units:
#
# $$h = \begin{pmatrix} 0 & 2 & 0 \\ 0 & 0 & 4 \end{pmatrix}$$
#
# has mean 1, variance $(4 \cdot 1 + 1 + 9)/6 = 2.33$, spread 1.53, four zeros of six (0.667), and one dead unit of
# three (0.333): the first. The other two are silent for one example each, and that is normal.

# %% [markdown]
# **Your turn: `activation_stats`** (2 points). Four numbers. Mind the two shares: one counts numbers, the other
# one columns.


# %% nbgrader={"grade": false, "grade_id": "activation_stats", "solution": true}
def activation_stats(h):
    """How a layer is doing.

    Args:
        h: activations, one example per row, shape (N, D), float; must not be changed.

    Returns:
        mean: of all N * D numbers, a number (0-d), dtype of h.
        std: their standard deviation, dividing by N * D, dtype of h.
        zeros: share of exact zeros, from 0 to 1, any float.
        dead: share of units that are zero for every example, from 0 to 1, any float.
    """
    ### BEGIN SOLUTION
    silent = h == 0
    return h.mean(), h.std(), silent.mean(), silent.all(axis=0).mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: shares are means</summary>
#
# `h == 0` is an array of True and False. Its mean is the share of True.
#
# <details><summary>Hint 2: every example</summary>
#
# A unit is a column. `.all(axis=0)` asks down the rows whether a whole column is True.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `h.mean()`, `h.std()`, `(h == 0).mean()`, and the mean of `(h == 0).all(axis=0)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_activation_stats", "points": 2, "solution": false}
check("activation_stats", activation_stats)

# %% [markdown]
# **Look.** Five tanh layers of 100 units see the digits. Three starts: a third of Glorot's weights, Glorot's weights,
# and ten times as much. **Predict** the shape of each row: narrow, broad, or two towers?


# %%
def tanh_layers(factor, depth=5, units=100):
    """Activations of each of `depth` tanh layers on the digits, for a multiple of Glorot's weights."""
    made = torch.Generator().manual_seed(SEED)
    values, kept = torch.tensor(digits.x_validation, dtype=torch.float32) - 0.5, []
    for _ in range(depth):
        w = torch.nn.init.xavier_uniform_(torch.empty(units, values.shape[1]), generator=made)
        values = torch.tanh(values @ (factor * w).T)
        kept.append(values.numpy())
    return kept


# %%
listened = {name: tanh_layers(factor) for name, factor in (("a third", 1 / 3), ("Glorot", 1.0), ("ten times", 10.0))}
plots.layer_histograms(listened)

# %% [markdown]
# Too small: the signal fades, and all images look alike to the last layer. Too large: nearly all units sit at $-1$ or
# $1$, saturated before the first step. Now your own function on a ReLU layer, without biases and with biases of $-3$.

# %%
if ready(activation_stats=activation_stats):
    for shift in (0.0, -3.0):
        silenced = torch.relu(3 * random_scores + shift).numpy()
        told = [round(float(number), 3) for number in activation_stats(silenced)]
        print(f"bias {shift:g}: mean, std, zeros, dead: {told}")

# %% [markdown]
# ## 14 · Exam corner
#
# *15 minutes, pen and paper; a calculator helps.* Seven questions, one point each. The numbers are yours: another
# learner gets others. In a class, set `LEARNER` in the setup cell to the id that your instructor gave you, and run that
# cell again.

# %%
exam_sheet("02_activations", learner=LEARNER)

# %% [markdown]
# **Your turn:** in each cell below, replace `None` by your number; the lines under it then do nothing. Run the cell,
# and the check after it.

# %% nbgrader={"grade": false, "grade_id": "exam_softmax", "solution": true}
### BEGIN SOLUTION exam_softmax = None  # replace None by your number
asked = exam_numbers("exam_softmax", learner=LEARNER)
powers = np.exp([asked["z0"], asked["z1"], asked["z2"]])
exam_softmax = round(float(powers[1] / powers.sum()), 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_softmax", "points": 1, "solution": false}
check("exam_softmax", exam_softmax, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_logit_gradient", "solution": true}
### BEGIN SOLUTION exam_logit_gradient = None  # replace None by your number
asked = exam_numbers("exam_logit_gradient", learner=LEARNER)
powers = np.exp([asked["z0"], asked["z1"], asked["z2"]])
exam_logit_gradient = round(float(powers[asked["of"]] / powers.sum()) - (asked["of"] == asked["label"]), 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_logit_gradient", "points": 1, "solution": false}
check("exam_logit_gradient", exam_logit_gradient, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_tanh", "solution": true}
### BEGIN SOLUTION exam_tanh = None  # replace None by your number
asked = exam_numbers("exam_tanh", learner=LEARNER)
squashed = float(np.tanh(asked["w"] * asked["x"]))
exam_tanh = round(asked["dout"] * (1 - squashed**2) * asked["x"], 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_tanh", "points": 1, "solution": false}
check("exam_tanh", exam_tanh, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_hinge", "solution": true}
### BEGIN SOLUTION exam_hinge = None  # replace None by your number
asked = exam_numbers("exam_hinge", learner=LEARNER)
behind = [asked[f"s{i}"] - asked[f"s{asked['label']}"] + asked["margin"] for i in range(3) if i != asked["label"]]
exam_hinge = round(sum(max(0.0, part) for part in behind), 1)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_hinge", "points": 1, "solution": false}
check("exam_hinge", exam_hinge, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_triplet", "solution": true}
### BEGIN SOLUTION exam_triplet = None  # replace None by your number
asked = exam_numbers("exam_triplet", learner=LEARNER)
to_p, to_n = (np.hypot(*(asked[f"a{i}"] - asked[f"{point}{i}"] for i in (1, 2))) for point in "pn")
exam_triplet = round(float(max(0.0, to_p - to_n + asked["margin"])), 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_triplet", "points": 1, "solution": false}
check("exam_triplet", exam_triplet, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_kaiming", "solution": true}
### BEGIN SOLUTION exam_kaiming = None  # replace None by your number
asked = exam_numbers("exam_kaiming", learner=LEARNER)
exam_kaiming = round((6 / (asked["channels"] * asked["window"] ** 2)) ** 0.5, 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_kaiming", "points": 1, "solution": false}
check("exam_kaiming", exam_kaiming, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_depth", "solution": true}
### BEGIN SOLUTION exam_depth = None  # replace None by your number
asked = exam_numbers("exam_depth", learner=LEARNER)
per_layer = asked["units"] * asked["limit"] ** 2 / 6
exam_depth = round(per_layer ** (asked["layers"] / 2), 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_depth", "points": 1, "solution": false}
check("exam_depth", exam_depth, learner=LEARNER)

# %% [markdown]
# ## 15 · Lab: cure the patient
#
# *20 minutes.* Back to the network of section 1, with four hidden layers of 32 units. Softmax and cross-entropy at its
# end, a bend and a start that fit. **Target: at least 95 % of the test images right.**

# %% [markdown]
# First your way: forwards with the bend you choose, then `p - y`, then backwards through the layers. The rule for an
# affine layer is that of lesson 01, delta times input. Then Torch's way, from section 1. Same weights, same batches,
# same rate.


# %%
def sigmoid_forward(x):
    """Lesson 01's bend, as a pair with a cache."""
    out = expit(x)
    return out, (out,)


def sigmoid_backward(dout, cache):
    """Its way back."""
    (out,) = cache
    return dout * out * (1 - out)


# %%
BENDS = {
    "sigmoid": (sigmoid_forward, sigmoid_backward, torch.sigmoid),
    "tanh": (tanh_forward, tanh_backward, torch.tanh),
    "relu": (relu_forward, relu_backward, torch.relu),
}


def my_step(name):
    """The step of a network with that bend, from your functions: batch in, loss and gradients out."""
    forward, backward, _ = BENDS[name]

    def step(x, labels, pairs):
        inputs, caches = [x], []
        for w, b in pairs[:-1]:
            out, cache = forward(inputs[-1] @ w.T + b)
            inputs.append(out)
            caches.append(cache)
        scores = inputs[-1] @ pairs[-1][0].T + pairs[-1][1]
        delta, gradients = (softmax(scores) - one_hot(labels, 10)) / len(labels), []
        for (w, _), values in reversed(list(zip(pairs, inputs, strict=True))):
            gradients.append((delta.T @ values, delta.sum(axis=0)))
            delta = backward(delta @ w, caches.pop()) if caches else None
        return cross_entropy(scores, labels), gradients[::-1]

    return step


# %%
my_start = kaiming_uniform if ready(kaiming_uniform=kaiming_uniform) else None


def fresh_start(factor):
    """A multiple of Kaiming's start for the five layers, by your function or by Torch's."""
    rng, made, pairs = np.random.default_rng(SEED), torch.Generator().manual_seed(SEED), []
    for shape in ((32, 64), (32, 32), (32, 32), (32, 32), (10, 32)):
        if my_start:
            w, b = my_start(shape, rng)
        else:
            w = torch.nn.init.kaiming_uniform_(torch.empty(shape).double(), nonlinearity="relu", generator=made).numpy()
            b = np.zeros(shape[0])
        pairs.append((factor * w, factor * b))
    return pairs


# %% [markdown]
# **Your turn:** the settings below are bad ones, in more than one way. Run down to the validation score, look at the
# loss, and say what is wrong before you change anything. Then change *one* thing, run again, and go on until the score
# satisfies you. `USE_MINE = True` trains with your functions if they pass their checks; if not, Torch works alone.

# %%
USE_MINE = True

# %% nbgrader={"grade": false, "grade_id": "lab_settings", "solution": true}
### BEGIN SOLUTION BEND, FACTOR, RATE, EPOCHS = "relu", 3.0, 1.0, 10  # change me
BEND, FACTOR, RATE, EPOCHS = "relu", 1.0, 0.1, 20
### END SOLUTION

# %%
lab_start = fresh_start(FACTOR)
cross_entropy_step = torch_step(BENDS[BEND][2], functional.cross_entropy)
cross_entropy_step(train_x[:32], train_labels[:32], on_device(lab_start))  # Torch's very first step is slow
by_torch, torch_losses, torch_seconds = train(
    cross_entropy_step, train_x, train_labels, on_device(lab_start), RATE, EPOCHS
)
print(f"Torch: {torch_seconds:.2f} s, loss {torch_losses[0]:.4g} in epoch 1, {torch_losses[-1]:.6f} in the last")

# %%
final_pairs, my_losses = by_torch, None
needed = {"softmax": softmax, "cross_entropy": cross_entropy}
needed |= {function.__name__: function for function in BENDS[BEND][:2] if BEND != "sigmoid"}
if USE_MINE and ready(**needed):
    with np.errstate(all="ignore"):  # a bad start may overflow, and that is for you to see in the loss
        final_pairs, my_losses, my_seconds = train(
            my_step(BEND), digits.x_train, digits.y_train, lab_start, RATE, EPOCHS
        )
    print(f"NumPy: {my_seconds:.2f} s, loss {my_losses[0]:.4g} in epoch 1, {my_losses[-1]:.6f} in the last")
    print(f"Torch took {torch_seconds / my_seconds:.1f} times as long as NumPy on this machine.")
    apart = np.abs(np.divide(my_losses, torch_losses) - 1).max()
    print(f"largest difference of the two curves, in parts of the loss: {apart:.1e}")

# %%
plots.lab_curves(my_losses, torch_losses, "cross-entropy per image")

# %% [markdown]
# With your functions the two curves lie on each other: the same calculation, up to rounding. (When a training jumps
# about, each step enlarges that rounding, and the two may part. That is chaos, not a bug of yours.)

# %% [markdown]
# Compare the loss of the first epoch with $\ln 10 = 2.303$, the price of blind guessing. Far above it, the start is too
# large. At it from the first epoch to the last, nothing arrives at the weights, or units have died: try a smaller
# rate. There may be more than one culprit.

# %%
validation_score = percent_right(final_pairs, BENDS[BEND][2], digits.x_validation, digits.y_validation)
print(f"validation: {validation_score:.1f} % right. Guessing costs ln 10 = {np.log(10):.3f}.")

# %% [markdown]
# **Choose with this number**, and with nothing else. One image is a third of a point here, so 97.0 against 97.3 is
# noise. Satisfied? Only then set `OPEN_TEST = True` and run the rest, once.

# %% nbgrader={"grade": false, "grade_id": "lab_test", "solution": true}
### BEGIN SOLUTION OPEN_TEST = False  # True at the very end
OPEN_TEST = True
### END SOLUTION

# %%
if OPEN_TEST:
    score = percent_right(final_pairs, BENDS[BEND][2], digits.x_test, digits.y_test)
    print(f"test: {score:.1f} % right.", "Target reached." if score >= 95 else "Note it down as it is.")

# %% [markdown]
# ### Which choice mattered?
#
# One change at a time, from your own settings. First the bend: three networks with the same start, rate and epochs.
# **Predict** the order of the three curves.

# %%
race = {}
for name, functions in BENDS.items():
    print("training with", name, "...")
    step = torch_step(functions[2], functional.cross_entropy)
    _, race[name], _ = train(step, train_x, train_labels, on_device(lab_start), RATE, EPOCHS)
plots.training_race(race, f"Three bends, {FACTOR:g} times Kaiming, rate {RATE:g}")

# %% [markdown]
# Now the start: your bend, your rate, and four multiples of Kaiming's weights. **Predict** which ones learn.

# %%
starts = {}
for factor in (0.1, 0.5, 1.0, 3.0):
    print(f"training from {factor:g} times Kaiming ...")
    _, starts[f"{factor:g} times Kaiming"], _ = train(
        cross_entropy_step, train_x, train_labels, on_device(fresh_start(factor)), RATE, EPOCHS
    )
plots.training_race(starts, f"Four starts, {BEND}, rate {RATE:g}")

# %% [markdown]
# Compare with what you know by now. A loss that stays at $\ln 10 = 2.303$ is blind guessing. With ReLU and rate 0.1,
# half of Kaiming's weights learn slowly, a tenth or three times as much not at all. tanh is more patient, because it
# cannot blow up.

# %% [markdown]
# **Is the sigmoid hopeless, then?** Set `BEND, FACTOR, RATE, EPOCHS = "sigmoid", 4.0, 1.0, 10` and run the lab once
# more, down to the validation score. A slope of one quarter and weights four times as large nearly cancel. No bend is
# good or bad alone: bend and start belong together.

# %% [markdown]
# ## 16 · Open question
#
# *10 minutes, 3 points, read by a person.* **Your turn:** in five to ten sentences of your own, why did the patient of
# section 1 not learn? Explain what goes wrong in sigmoid units, what can go wrong in ReLU units instead, and what the
# first weights have to do with both.
#
# **One point each:** (1) saturation of the sigmoid, with the reason; (2) dead ReLU units, with the reason; (3) first
# weights that are too large and too small, and which variance is right.

# %% [markdown] nbgrader={"grade": true, "grade_id": "open_question_activations", "points": 3, "solution": true}
# Far from 0 the sigmoid is flat. Its slope is $s(1-s)$, at most one quarter and nearly 0 out there. A gradient on its
# way back is multiplied by such a slope in every layer: after four layers at most $1/256$ is left, before the weights,
# so the first layers hardly move.
#
# ReLU has slope 1 where its score is positive, and the gradient does not fade there. But a unit whose score is negative
# for *every* example has slope 0 for every example. Its weights then get no gradient at all, and it stays silent for
# good: it is dead. One step that is too large can do that.
#
# Each layer multiplies the variance of the scores by $n \operatorname{Var}(w)$, and by one half if ReLU bends it. If
# that is above 1, scores grow from layer to layer: sigmoids start saturated, ReLU networks explode. If it is below 1,
# signals and gradients fade. It stays when $\operatorname{Var}(w)$ is about $1/n_{\text{in}}$, and twice that for ReLU.

# %% [markdown]
# ## Summary
#
# 1. Between layers use a bend with slope near 1: ReLU first, leaky ReLU or GELU when units die, tanh when outputs must
#    stay bounded. Every sigmoid costs the gradient a factor of four at least.
# 2. Softmax turns scores into probabilities; subtract the largest score of each row. With cross-entropy the gradient is
#    $p - y$, and it does not saturate.
# 3. The loss says what you care about: classes (cross-entropy), numbers (squared, or absolute against outliers), a lead
#    (hinge), distances (contrastive, triplet). Weighted sums combine them.
# 4. $\operatorname{Var}(w) = 2/n_{\text{in}}$ for ReLU, $2/(n_{\text{in}} + n_{\text{out}})$ for tanh. A wrong factor
#    is raised to the power of the depth.
# 5. Before you train for hours, listen to the layers: spread, zeros, dead units, and a first loss near $\ln K$.

# %% [markdown]
# **Conventions used.** $\operatorname{relu}'(0) = 0$. GELU is the exact form unless said otherwise. Softmax runs along
# the last axis. `cross_entropy` takes scores and class numbers and averages over the batch. `hinge_loss` sums over the
# other classes and averages over the batch. `triplet_loss` uses plain distances and adds $10^{-6}$ to every difference.
# float32 in, float32 out. Inputs are never changed.

# %% [markdown]
# **Further reading.** Bridle, *Probabilistic interpretation of feedforward classification network outputs* (1990).
# Hadsell, Chopra and LeCun, *Dimensionality reduction by learning an invariant mapping* (2006). Glorot and Bengio,
# *Understanding the difficulty of training deep feedforward neural networks* (2010). Maas, Hannun and Ng, *Rectifier
# nonlinearities improve neural network acoustic models* (2013). He and others, *Delving deep into rectifiers* (2015).
# Schroff, Kalenichenko and Philbin, *FaceNet* (2015). Hendrycks and Gimpel, *Gaussian error linear units* (2016).

# %% [markdown]
# **Next:** lesson 03 writes the backward pass of everything you built here, and of any graph.
