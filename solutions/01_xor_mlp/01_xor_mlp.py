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
# # Lesson 01 · XOR and the multilayer perceptron
#
# After this lesson you can
#
# - **compute** what one neuron answers, for a whole class of pupils at once;
# - **derive** its gradient and check it with a nudge;
# - **prove** that no straight line does XOR;
# - **build** a network with one hidden layer and send gradients back through it by hand;
# - **train** it, on XOR and on real handwritten digits.

# %% [markdown]
# **Time:** about 3 hours, in three or four sittings. Every section says how long it takes. Good places to stop: after
# sections 5, 9 and 13.
#
# **Builds on:** Python, NumPy arrays, derivatives and the chain rule. No earlier lesson.

# %% [markdown]
# **How it works.** A section explains, shows an example, and then says **Your turn**. Write your code where the cell
# says `YOUR CODE HERE`, run it, and run the check below it. Stuck? Open one hint, not three.

# %% [markdown]
# **Your turn:** run the next cell. It prepares the lesson; there is nothing to write.

# %%
import time

import numpy as np
import torch
from IPython.display import display
from scipy.special import expit

import course_lib.plots as plots
from course_lib import check, exam_numbers, exam_sheet, ready
from course_lib.data import CORNERS, XOR, load_digits, one_hot, pupils, xor_points
from course_lib.widgets.mlp import HiddenFold, XorTrainer
from course_lib.widgets.neuron import DecisionBoundary

LEARNER = "self-study"
SEED = 1
torch.set_num_threads(1)  # networks this small only lose time when threads wait for each other
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
print("Torch will use", "the graphics card." if DEVICE == "cuda" else "the processor: enough for every cell here.")

# %% [markdown]
# ## 1 · A score for every pupil
#
# *10 minutes.* A school admits pupils by two marks out of 20, maths $m$ and physics $p$. Nobody wrote the rule down.
# We only have last year's list of twenty pupils.

# %%
marks, admitted = pupils()
print("maths, physics, admitted")
print(np.column_stack([marks, admitted])[:4].astype(int))

# %% [markdown]
# ### One neuron: admitted or not
#
# A neuron weighs its inputs, adds a constant, and looks at the sign:
#
# $$z = a\,m + b\,p + c, \qquad \text{admitted if } z > 0.$$
#
# The numbers $a$ and $b$ are **weights**, $c$ is the **bias**. The pupils with $z = 0$ lie on a straight line: on one
# side the neuron says yes, on the other no.

# %% [markdown]
# Learning means finding $a$, $b$, $c$ from examples. The weights turn the line, the bias slides it.
# Without a bias the line would have to pass through the pupil with two zeros: no such line is any use here.

# %%
plots.admission(marks, admitted, (np.array([1.0, 0.5]), -14.0))

# %% [markdown]
# **Worked example.** Take $a = 1$, $b = 0.5$, $c = -14$ and the pupil with 12 in maths and 8 in physics:
#
# $$z = 1 \cdot 12 + 0.5 \cdot 8 - 14 = 2 > 0 .$$
#
# The neuron says *admitted*. The list says *not admitted*: these are not the right three numbers yet.

# %%
a, b, c = 1.0, 0.5, -14.0
maths, physics = marks[6]
print(maths, physics, "score", a * maths + b * physics + c, "admitted:", bool(admitted[6]))

# %% [markdown]
# **Look.** Another school, twelve other pupils, another rule. **Your goal:** move the line until all twelve are
# right. Which slider turns the line, and which one slides it?

# %%
DecisionBoundary("admission")

# %% [markdown]
# ### The matrix form of a layer
#
# One pupil at a time is slow. Put $N$ pupils in the rows of $X$, shape $(N, D)$. Put $M$ neurons in the rows of $W$,
# shape $(M, D)$, with one bias each. All scores at once:
#
# $$\text{out} = X W^\top + b, \qquad \text{shape } (N, M).$$
#
# Row $i$, column $j$ is what neuron $j$ thinks of pupil $i$.

# %% [markdown]
# Some notes write a layer as $a \times w$ with one column per neuron. That is the same numbers, transposed. This
# course always keeps one **row** per neuron, as Torch does, hence the $\top$. When a shape surprises you, write the
# two shapes side by side: $(N, D)$ times $(D, M)$ gives $(N, M)$.

# %% [markdown]
# **Your turn: `affine_forward`** (2 points). Compute all scores of a layer. Keep `(x, w, b)` as `cache`: a later
# exercise will want it back.

# %% nbgrader={"grade": false, "grade_id": "affine_forward", "solution": true}
def affine_forward(x, w, b):
    """Scores of a layer of neurons.

    Args:
        x: inputs, one example per row, shape (N, D), float.
        w: weights, one neuron per row, shape (M, D), same dtype as x.
        b: biases, shape (M,), same dtype as x.

    Returns:
        out: scores, shape (N, M), same dtype as x.
        cache: the tuple (x, w, b).

    Raises:
        ValueError: x and w disagree on D (NumPy raises it for you).
    """
    ### BEGIN SOLUTION
    out = x @ w.T + b
    return out, (x, w, b)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# `@` multiplies matrices. Write the shapes of `x` and `w` side by side: which one must be turned?
# </details>
# <details><summary>Hint 2: the bias</summary>
#
# `b` has shape (M,). NumPy adds it to every row of an (N, M) array by itself. No loop, no reshape.
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# One product with `w.T`, one addition, then `return out, (x, w, b)`.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_affine_forward", "points": 2, "solution": false}
check("affine_forward", affine_forward)

# %% [markdown]
# **Look.** Two neurons at once: the rule above and a stricter one. **Predict** first: can the second column hold more
# positive scores than the first?

# %%
two_w, two_b = np.array([[1.0, 0.5], [1.0, 0.5]]), np.array([-14.0, -20.0])
scores = torch.nn.functional.linear(*map(torch.tensor, (marks, two_w, two_b)))
print("pupils with a positive score:", (scores > 0).sum(dim=0).tolist())

# %% [markdown]
# Same weights, lower bias: the second line is parallel and further up. It can only admit fewer.

# %% [markdown]
# ## 2 · From a score to a probability
#
# *10 minutes.* A score of 0.1 and a score of 9 both mean *yes*, but not equally. And a step from no to yes has slope
# zero everywhere, so it cannot tell us which way to improve. We need something smooth.

# %% [markdown]
# ### The sigmoid
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}}, \qquad \sigma'(z) = \sigma(z)\,\bigl(1 - \sigma(z)\bigr).$$
#
# It turns any score into a number between 0 and 1, and $\sigma(0) = \tfrac12$. So "$z > 0$" and
# "$\sigma(z) > \tfrac12$" are the same decision.

# %%
plots.sigmoid_and_slope()

# %% [markdown]
# **Worked example.** The score 2 from above gives $\sigma(2) = 1/(1 + e^{-2}) = 0.881$. The slope there is
# $0.881 \cdot 0.119 = 0.105$. At score 9 the slope is only 0.000123: the unit is **saturated**, and hardly reacts.

# %%
s = 1 / (1 + np.exp(-np.array([2.0, 9.0])))
print(s.round(3), (s * (1 - s)).round(6))

# %% [markdown]
# **A trap.** The formula is right and the obvious code breaks. For $z = -1000$ it asks for $e^{1000}$, which no
# float64 can hold.

# %%
with np.errstate(over="ignore"):
    print("e to the power 1000 is", np.exp(np.array(1000.0)))

# %% [markdown]
# **Your turn: `sigmoid`** (2 points). Never let `exp` see a large positive number. For negative $z$, use the other
# face of the same formula:
#
# $$\frac{1}{1+e^{-z}} = \frac{e^{z}}{1+e^{z}}.$$

# %% nbgrader={"grade": false, "grade_id": "sigmoid", "solution": true}
def sigmoid(x):
    """The logistic sigmoid, element by element, without overflow.

    Args:
        x: float array of any shape, also 0-d; values up to 1000 in size and beyond.

    Returns:
        Array of the shape and dtype of x, values from 0 to 1, never NaN.
    """
    ### BEGIN SOLUTION
    e = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1 / (1 + e), e / (1 + e))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: which number is safe?</summary>
#
# `-np.abs(x)` is never positive, so its exponential stays between 0 and 1.
# </details>
# <details><summary>Hint 2: two faces</summary>
#
# With `e = np.exp(-np.abs(x))`: for x ≥ 0 the sigmoid is 1 / (1 + e). What is it for x < 0?
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# `np.where(condition, one, other)` picks element by element: 1 / (1 + e) where x ≥ 0, and e / (1 + e) elsewhere.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_sigmoid", "points": 2, "solution": false}
check("sigmoid", sigmoid)

# %% [markdown]
# **Look.** Torch's own sigmoid at extreme scores. **Predict:** what does float32 print for $\sigma(20)$: less than
# 1, or exactly 1?

# %%
for dtype in (torch.float32, torch.float64):
    print(dtype, torch.sigmoid(torch.tensor([-1000.0, 0.0, 20.0, 1000.0], dtype=dtype)).tolist())

# %% [markdown]
# ## 3 · What "learning" means
#
# *10 minutes of reading, no code.* Six ideas that every later lesson uses. Read them once; come back when a word
# escapes you.

# %% [markdown]
# ### Types of learning
#
# **Supervised:** every example comes with the wanted answer, as in our list of pupils. The aim is to be right on
# *new* pupils. **Unsupervised:** inputs only; look for structure, such as groups of similar pupils (clustering).
# **Reinforcement:** a program acts, receives rewards, and learns which actions pay. There are mixtures, such as a
# few labelled examples among many unlabelled ones.

# %% [markdown]
# This course is about supervised learning: pairs $(x, y)$ in, a function $f$ with $f(x) \approx y$ out. When $y$ is
# one of a few classes we speak of **classification**: *admitted or not*, or which digit. When it is a number we
# speak of **regression**: next year's mark.
#
# *Quick test.* A thermostat tries settings and is told the comfort each evening: which type?
# <details><summary>Answer</summary>
#
# Reinforcement: nobody says which setting was right, only how good the chosen one was.
# </details>

# %% [markdown]
# ### Parametric or not
#
# A **parametric** method fixes a family of functions first, here $f_\theta(m, p) = \sigma(a m + b p + c)$ with
# $\theta = (a, b, c)$, and then searches the best $\theta$. Three numbers remain, however many pupils we saw; the
# list can be thrown away. A **non-parametric** method keeps the data and lets it speak.

# %% [markdown]
# Nearest neighbour is the classic of the second kind: a new pupil gets the answer of the most similar old one. Its
# size grows with the list, and nothing is "trained". Neural networks are parametric, even with a billion parameters:
# the number is fixed before the first example arrives.

# %%
newcomer = np.array([12.0, 12.0])
nearest = np.linalg.norm(marks - newcomer, axis=1).argmin()
print("nearest neighbour:", marks[nearest], "so the newcomer is", "admitted" if admitted[nearest] else "not admitted")

# %% [markdown]
# ### Loss, risk, empirical risk
#
# A **loss** $\ell(\hat y, y)$ says how bad one answer is, for example $(\hat y - y)^2$. The **risk** is its average
# over all pupils who could ever apply, and the **empirical risk** its average over the sample $Z$ we have:
#
# $$R(f) = \mathbb{E}\,\ell(f(x), y), \qquad R_Z(f) = \frac{1}{|Z|} \sum_{(x,y)\in Z} \ell(f(x), y).$$

# %% [markdown]
# We want a small $R$ but can only compute $R_Z$. Training makes $R_Z$ small (sometimes plus another term, lesson 05).
# That helps as long as the two stay close. **Worked example:** the empirical risk of the first neuron on our twenty
# pupils.

# %%
losses = (expit(marks @ np.array([1.0, 0.5]) - 14.0) - admitted) ** 2
print("loss of the pupil with 12 and 8:", losses[6].round(3), " empirical risk:", losses.mean().round(3))

# %% [markdown]
# ### Train, validation, test
#
# A function that learnt the list by heart has empirical risk 0 and knows nothing (**overfitting**). One that is too
# simple is bad on the list and off it (**underfitting**). So keep data aside: **train** on one part, compare models
# on the **validation** part, and open the **test** part once, at the very end, for an honest estimate of $R$.

# %%
plots.three_parts(1197, 300, 300)

# %% [markdown]
# These are the digits of this lesson's lab: 1,797 images. Why not choose with the test part? Because the best of many
# tries is partly lucky. A choice made on the test part carries that luck into the score, and the score stops being an
# estimate for new images.

# %% [markdown]
# ### Data engineering
#
# Before any learning: where do the examples come from, are the labels right, what is missing, in which units, who is
# not in the list? This work is called **data engineering**, and in real projects it takes a large part of the time.
# Two examples wait in this lesson. The *scale* of the marks, $(\text{mark} - 10)/5$, decides whether a neuron learns
# at all (next section). The *order* in which the digits are cut into parts moves the test score by several points
# (lab). Neither is visible in the formulas of the network.

# %% [markdown]
# ### Hyperparameters
#
# Training finds the parameters $\theta$. A person chooses the rest: the number and size of layers, the activation,
# the **learning rate**, the number of **epochs** (passes over the data), the **batch size** (examples per step), the
# learning-rate schedule (lesson 04). These are **hyperparameters**. We follow no gradient for them: try values,
# compare on the validation part, keep the best. Too large a rate and the loss jumps about; too small and nothing
# seems to happen. In the lab you will choose `HIDDEN`, `RATE` and `EPOCHS` this way.

# %% [markdown]
# ## 4 · The neuron learns
#
# *20 minutes.* We measure how wrong the neuron is, then roll downhill.

# %% [markdown]
# ### Squared error and gradient descent
#
# With $s_i = \sigma(a m_i + b p_i + c)$ and $y_i \in \{0, 1\}$, add up over the pupils:
#
# $$E(a, b, c) = \sum_{i=1}^{N} (y_i - s_i)^2 .$$
#
# The gradient points uphill, so each number takes a small step the other way, with learning rate $h$:
#
# $$a \leftarrow a - h\,\frac{\partial E}{\partial a}, \quad b \leftarrow b - h\,\frac{\partial E}{\partial b}, \quad
# c \leftarrow c - h\,\frac{\partial E}{\partial c}.$$

# %% [markdown]
# **The chain rule, link by link.** From $a$ to $E$, for one pupil:
#
# $$a \to z = a m + b p + c \to s = \sigma(z) \to (y - s)^2,$$
#
# $$\frac{\partial E}{\partial a} = \underbrace{-2\,(y - s)}_{\text{loss}} \cdot \underbrace{s\,(1 - s)}_{\sigma'(z)}
# \cdot \underbrace{m}_{z \text{ by } a}$$
#
# For $b$ the last link is $p$, for $c$ it is 1. Several pupils: add up.

# %% [markdown]
# **Worked example.** One pupil, marks already scaled to $m = 0.4$, $p = -0.4$, not admitted ($y = 0$); neuron
# $a = 1$, $b = 0.5$, $c = 0$. Then $z = 0.2$, $s = 0.550$, and
# $\partial E/\partial a = 2 \cdot 0.550 \cdot 0.248 \cdot 0.4 = 0.109$. A nudge of $a$ must agree:

# %%
def error_of_one(a):
    """Squared error of the pupil above, as a function of a alone."""
    return (0 - expit(a * 0.4 + 0.5 * -0.4)) ** 2


nudged = (error_of_one(1 + 1e-6) - error_of_one(1 - 1e-6)) / 2e-6
print("slope by nudging:", nudged.round(6))

# %% [markdown]
# **What is wrong here?** A page of handwritten notes gives $\partial E/\partial a = -\sum_i (y_i - s_i)\, m_i$. For
# our pupil that is $0.550 \cdot 0.4 = 0.220$, twice the slope we measured. Say what is missing before you open the
# answer.
# <details><summary>Answer</summary>
#
# The factor 2 of the square and the link $s(1-s)$ of the sigmoid. Here $2 \cdot 0.248 = 0.495$, so the error is a
# factor of two; for a saturated unit it would be a factor of thousands. (The short formula is right for another
# loss, cross-entropy: lesson 02.)
# </details>

# %% [markdown]
# **Your turn: `neuron_gradient`** (3 points). All pupils at once, summed. `w` holds $(a, b)$; the scalar `b` is $c$.

# %% nbgrader={"grade": false, "grade_id": "neuron_gradient", "solution": true}
def neuron_gradient(x, y, w, b):
    """Gradient of the squared error E = sum_i (y_i - s_i)^2 of one sigmoid neuron.

    Args:
        x: marks in maths and physics (scaled or not), shape (N, 2), float.
        y: 1 for admitted, 0 for not, shape (N,), float.
        w: weights, shape (2,), float.
        b: bias, a number.

    Returns:
        dw: dE/dw, summed over the pupils (not averaged), shape (2,).
        db: dE/db, a number (0-d).
    """
    ### BEGIN SOLUTION
    s = sigmoid(x @ w + b)
    dz = -2 * (y - s) * s * (1 - s)
    return dz @ x, dz.sum()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: one number per pupil first</summary>
#
# The first two links, loss and sigmoid, are the same for all three derivatives. Compute them once: an array `dz` of
# shape (N,).
# </details>
# <details><summary>Hint 2: the last link</summary>
#
# For `w`: multiply `dz[i]` by row i of `x` and add up the rows. For `b`: just add up.
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# `dz = -2 * (y - s) * s * (1 - s)`. Then a matrix product of shapes (N,) and (N, 2), and `dz.sum()`.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_neuron_gradient", "points": 3, "solution": false}
check("neuron_gradient", neuron_gradient)


# %% [markdown]
# **Look.** 300 steps down the slope, once on raw marks and once on scaled marks $(\text{mark} - 10)/5$. Same pupils,
# same rate $h = 0.05$. **Predict:** does the scale matter? Your gradient does the work once it passes, Torch's until
# then.

# %%
def torch_neuron_gradient(x, y, w, b):
    """The same gradient by Torch's automatic differentiation."""
    w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (w, b))
    error = ((torch.tensor(y) - torch.sigmoid(torch.tensor(x) @ w + b)) ** 2).sum()
    return [gradient.numpy() for gradient in torch.autograd.grad(error, (w, b))]


# %%
def descend(gradient, x, steps=300, h=0.05):
    """Gradient descent from zero: final weights and bias, and the errors and weights on the way."""
    w, b, errors, path = np.zeros(2), 0.0, [], []
    for _ in range(steps):
        errors.append(float(((admitted - expit(x @ w + b)) ** 2).sum()))
        path.append(w)
        dw, db = gradient(x, admitted, w, b)
        w, b = w - h * dw, b - h * db
    return w, b, errors, np.array(path)


# %%
scaled = (marks - 10) / 5
gradient = neuron_gradient if ready(neuron_gradient=neuron_gradient) else torch_neuron_gradient
print("These steps were made by", gradient.__name__)
w, b, errors, path = descend(gradient, scaled)
plots.descent(descend(gradient, marks)[2], errors)

# %%
plots.error_map(scaled, admitted, b, path)

# %% [markdown]
# Raw marks end at error 10: the first step was so large that the neuron saturated, answered the same for everybody,
# and half the pupils are wrong for ever. Scaled marks end at 0.32 with all twenty right. That was data engineering:
# one line.

# %% [markdown]
# ## 5 · The perceptron, and a little history
#
# *10 minutes.* Long before anybody trained networks of sigmoids, a machine learnt with a simpler rule.

# %% [markdown]
# ### The perceptron
#
# Answer with a hard step: $\hat y = 1$ if $w \cdot x + b > 0$, else 0. Look at one example at a time. If the answer
# is right, do nothing. If it is wrong, pull the line towards the example:
#
# $$w \leftarrow w + \eta\,(y - \hat y)\,x, \qquad b \leftarrow b + \eta\,(y - \hat y).$$
#
# The difference $y - \hat y$ is $+1$, $0$ or $-1$. A score of exactly 0 counts as answer 0: our convention for ties.

# %% [markdown]
# **A theorem, and a warning:** if *some* line separates the two classes, the perceptron finds one after finitely many
# mistakes. If none does, it changes its mind for ever. Keep that for section 6.

# %% [markdown]
# **Worked example.** The pupil with marks 9 and 16, scaled $x = (-0.2, 1.2)$, was admitted: $y = 1$. Take
# $w = (0.1, -0.1)$, $b = 0$, $\eta = 0.1$. The score is $-0.02 - 0.12 = -0.14$, so $\hat y = 0$: a mistake,
# $y - \hat y = 1$. The new weights are $w = (0.08, 0.02)$, $b = 0.1$, and the new score is
# $-0.016 + 0.024 + 0.1 = 0.108 > 0$. Fixed. Dotted: the old line.

# %%
def in_marks(w, b):
    """The same line for marks that are not scaled."""
    return w / 5, b - 2 * w.sum()


# %%
plots.admission(marks, admitted, in_marks(np.array([0.1, -0.1]), 0.0), in_marks(np.array([0.08, 0.02]), 0.1))

# %% [markdown]
# **Your turn: `perceptron_update`** (2 points). One example, one update. Return new arrays; leave the ones you were
# given alone.

# %% nbgrader={"grade": false, "grade_id": "perceptron_update", "solution": true}
def perceptron_update(x, y, w, b, lr):
    """One step of the perceptron rule on one example.

    Args:
        x: one example, shape (D,), float.
        y: its class, 0 or 1.
        w: weights, shape (D,), float; must not be changed.
        b: bias, a number.
        lr: learning rate, a positive number.

    Returns:
        w: new weights, shape (D,).
        b: new bias, a number.
    """
    ### BEGIN SOLUTION
    y_hat = 1 if w @ x + b > 0 else 0
    return w + lr * (y - y_hat) * x, b + lr * (y - y_hat)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two moves</summary>
#
# First the answer (a comparison), then the update (two additions). No loop: there is one example.
# </details>
# <details><summary>Hint 2: changing or replacing</summary>
#
# `w += ...` changes the array you were given. `w = w + ...` makes a new one.
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# `y_hat = 1 if w @ x + b > 0 else 0`, then add `lr * (y - y_hat)` times x to w, and times 1 to b.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_perceptron_update", "points": 2, "solution": false}
check("perceptron_update", perceptron_update)


# %% [markdown]
# **Look.** Your rule goes through the list until a whole pass brings no mistake. **Predict:** how many passes with
# scaled marks, and how many with raw marks?

# %%
def passes_needed(x, most=1000):
    """Passes over the pupils until the perceptron makes no mistake, and its final weights."""
    w, b = np.zeros(2), 0.0
    for n in range(1, most + 1):
        before = (w, b)
        for row, target in zip(x, admitted, strict=True):
            w, b = perceptron_update(row, target, w, b, 0.1)
        if np.array_equal(before[0], w) and before[1] == b:
            return n, w, b
    return most, w, b


# %%
if ready(perceptron_update=perceptron_update):
    (n_scaled, w, b), (n_raw, *_) = passes_needed(scaled), passes_needed(marks)
    print("passes with scaled marks:", n_scaled, " with raw marks:", n_raw)
    display(plots.admission(marks, admitted, in_marks(w, b)))

# %% [markdown]
# ### The timeline, 1951 to 1999
#
# The pieces of this lesson are older than most of its readers. Look at the gaps: seventeen years between the book
# that showed what one layer cannot do and the year in which training several layers became common knowledge.

# %%
plots.timeline()

# %% [markdown]
# - **1951** Robbins and Monro: follow noisy measurements with shrinking steps and you still arrive. This is the seed
#   of stochastic gradient descent.
# - **1958** Rosenblatt: the perceptron, with weights that learn.
# - **1969** Minsky and Papert: what one layer cannot do, XOR among it.
# - **1986** Rumelhart, Hinton and Williams make backpropagation popular; others had found it before.
# - **1989 to 1998** LeCun and colleagues train convolutional networks on handwritten digits, up to LeNet-5.

# %% [markdown]
# **What is wrong here?** The notes say: "SGD 1952; deep convolutional networks 1999".
# <details><summary>Answer</summary>
#
# Both are a little late. Robbins and Monro's paper is from 1951; 1952 is its sibling by Kiefer and Wolfowitz, which
# estimates slopes by differences. LeCun's network read zip codes in 1989, and the LeNet-5 paper is from 1998.
# </details>

# %% [markdown]
# ## 6 · XOR: where one line gives up
#
# *10 minutes.* The school starts an exchange: you join if you are strong in **exactly one** of the two subjects. You
# teach that one and learn the other. Strong in none or in both: no exchange.

# %%
print("a1 a2 target")
print(np.column_stack([CORNERS, XOR]).astype(int))

# %% [markdown]
# **Look.** **Predict** how many of the four corners one line can get right. Then move the sliders $w_1$, $w_2$, $b$
# and reach the widget's goal. Try for one corner more, and stop after two minutes.

# %%
DecisionBoundary()

# %% [markdown]
# ### Why one line cannot do XOR
#
# Suppose $w_1 a_1 + w_2 a_2 + b$ were positive exactly for target 1. The four corners say
#
# $$(0,0):\; b \le 0 \qquad (1,0):\; w_1 + b > 0 \qquad (0,1):\; w_2 + b > 0 \qquad (1,1):\; w_1 + w_2 + b \le 0 .$$
#
# Add the two in the middle: $w_1 + w_2 + 2b > 0$. Add the outer two: $w_1 + w_2 + 2b \le 0$. Both cannot be true. ∎

# %% [markdown]
# Read it again slowly: it is the whole reason for hidden layers. No learning rate, no patience and no luck can help
# one neuron here. Three corners of four is the best possible, and the picture shows one such line.

# %%
plots.xor_line([1.0, 1.0], -0.5)

# %% [markdown]
# ### New features: which ones help?
#
# Perhaps the inputs are badly chosen. Give the neuron $u = a_1 + a_2$ and $v = a_1 - a_2$ instead, as the notes
# suggest. Then its score is
#
# $$\alpha u + \beta v + b = (\alpha + \beta)\, a_1 + (\alpha - \beta)\, a_2 + b .$$
#
# That is again a line in $a_1$ and $a_2$, and we have just proved that no such line exists.

# %% [markdown]
# Sums and differences are **linear**: they turn and stretch the sheet, and a crossing stays a crossing. What helps
# is a **fold**. Take $|a_1 - a_2|$: fold the sheet along the diagonal, and the corners $(0,1)$ and $(1,0)$ land on
# each other.

# %%
plots.xor_features()

# %% [markdown]
# **Worked example.** $|a_1 - a_2|$ is 0, 1, 1, 0 on the four corners: the threshold $\tfrac12$ finishes the job. A
# fold can be made of two **ReLU** units, $\operatorname{relu}(t) = \max(t, 0)$:
#
# $$|t| = \operatorname{relu}(t) + \operatorname{relu}(-t).$$
#
# Two bent units and a sum: that is already a hidden layer.

# %%
difference = CORNERS[:, 0] - CORNERS[:, 1]
print(np.maximum(difference, 0) + np.maximum(-difference, 0))

# %% [markdown]
# ## 7 · Two hidden units, by hand
#
# *10 minutes.* Put a layer of neurons between inputs and answer. Nobody tells these units what to answer: they are
# **hidden**. First the pupils' marks become new features $h$, then one neuron draws its line among the features.

# %%
plots.network([2, 2, 1], [["$a_1$", "$a_2$"], ["$h_1$", "$h_2$"], ["$o$"]])

# %% [markdown]
# **A plan in words.** *Exactly one* means *at least one, but not both*: OR, but not AND. So let $h_1$ be an OR
# neuron, $h_2$ an AND neuron, and let the answer like $h_1$ and dislike $h_2$.

# %% [markdown]
# **Worked example: OR.** Take $h_1 = \sigma(20\,a_1 + 20\,a_2 - 10)$. Scores on the four corners: $-10$, $10$, $10$,
# $30$. After the sigmoid: practically 0, 1, 1, 1. The bias says how much the inputs must bring: more than 10, and one
# input brings 20.

# %%
print(expit(20 * CORNERS[:, 0] + 20 * CORNERS[:, 1] - 10).round(4))

# %% [markdown]
# ### Biases
#
# Each unit has its own bias, and it is not decoration. The weights say in which *direction* a unit looks, the bias
# says *where* its line lies. OR and AND have the same weights 20 and 20; only the bias tells them apart:
#
# $$\text{OR: the inputs must bring more than } 10. \qquad \text{AND: more than how much?}$$

# %% [markdown]
# Without biases every line of the first layer passes through the corner $(0, 0)$, and there each hidden unit answers
# $\sigma(0) = \tfrac12$, whatever its weights. A bias costs one more parameter per unit and is nearly always worth
# it. Counting them is part of section 13.

# %% [markdown]
# **Your turn: `xor_weights`** (3 points). No training: choose the numbers yourself. Any number of hidden units from
# two up, any weights. What counts is the behaviour: above 0.5 for target 1, below for target 0, and at least 0.1
# away.

# %% nbgrader={"grade": false, "grade_id": "xor_weights", "solution": true}
def xor_weights():
    """Weights of a network 2-H-1 with sigmoids in both layers that computes XOR.

    Its answer is sigmoid(w2 @ sigmoid(w1 @ a + b1) + b2) for the inputs a.

    Returns:
        w1: weights of the hidden layer, shape (H, 2), float, H >= 2.
        b1: biases of the hidden layer, shape (H,), float.
        w2: weights of the output, shape (1, H), float.
        b2: bias of the output, shape (1,), float.
    """
    ### BEGIN SOLUTION
    w1 = np.array([[20.0, 20.0], [20.0, 20.0]])
    b1 = np.array([-10.0, -30.0])  # OR, AND
    w2 = np.array([[20.0, -20.0]])
    b2 = np.array([-10.0])
    return w1, b1, w2, b2
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: AND</summary>
#
# With weights 20 and 20 the corner scores without bias are 0, 20, 20, 40. AND must be positive for the last one only.
# </details>
# <details><summary>Hint 2: the output</summary>
#
# $(h_1, h_2)$ is about (0,0), (1,0), (1,0), (1,1). You want yes for the middle two. Try +20 for $h_1$ and -20 for
# $h_2$: which bias then?
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# One row of w1 per hidden unit, both `[20, 20]`. Biases -10 and -30. Output weights `[[20, -20]]`; its bias lies
# between -20 and 0. Write floats, and mind the shapes.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_xor_weights", "points": 3, "solution": false}
check("xor_weights", xor_weights)

# %% [markdown]
# ### What the hidden layer does to the four points
#
# It moves them. In the plane of $h_1$ and $h_2$ the two corners of target 1 land on the same spot, like the folded
# sheet. Then one line is enough. Left: the inputs. Right: the same four points, seen by the output neuron.

# %%
if ready(xor_weights=xor_weights):
    display(plots.fold(*xor_weights()))

# %% [markdown]
# **Look.** Two hidden units of your choice carry the whole sheet along. **Predict** whether any two units will do,
# then reach the goal: one line between the classes. Which corners meet?

# %%
HiddenFold()

# %% [markdown]
# ## 8 · The whole network in matrix form
#
# *10 minutes.* Two layers, each as in section 1, each followed by a sigmoid. With $N$ examples in rows:
#
# $$H = \sigma(X W_1^\top + b_1), \qquad O = \sigma(H W_2^\top + b_2).$$
#
# Shapes: $X\,(N, D)$, $W_1\,(H, D)$, hidden values $(N, H)$, $W_2\,(M, H)$, answers $(N, M)$.

# %% [markdown]
# This is a **multilayer perceptron**, MLP for short: affine, bend, affine, bend. Leave out the bends and it
# collapses:
#
# $$(X W_1^\top) W_2^\top = X (W_2 W_1)^\top,$$
#
# one layer again, and one layer cannot do XOR. All the power comes from the bends.

# %% [markdown]
# **Worked example.** One input $(1, 0)$; hidden weights $(1, -1)$ and $(-1, 1)$, no biases; output weights $(2, 1)$,
# bias $-1$. Hidden scores $1, -1$; $h = (0.731, 0.269)$; output score $2 \cdot 0.731 + 0.269 - 1 = 0.731$; answer
# $\sigma(0.731) = 0.675$.

# %%
h = expit(np.array([1.0, 0.0]) @ np.array([[1.0, -1.0], [-1.0, 1.0]]).T)
print(h.round(3), expit(h @ np.array([2.0, 1.0]) - 1).round(3))

# %% [markdown]
# **Your turn: `mlp_forward`** (3 points). Keep in the cache what the way back will need: inputs, hidden values,
# answers, and `w2`.

# %% nbgrader={"grade": false, "grade_id": "mlp_forward", "solution": true}
def mlp_forward(x, w1, b1, w2, b2):
    """Answers of a network with one hidden layer, sigmoid after both layers.

    Args:
        x: inputs, one example per row, shape (N, D), float.
        w1: hidden weights, shape (H, D).
        b1: hidden biases, shape (H,).
        w2: output weights, shape (M, H).
        b2: output biases, shape (M,).

    Returns:
        out: answers between 0 and 1, shape (N, M), dtype of the inputs.
        cache: the tuple (x, h, out, w2) with hidden values h, shape (N, H).
    """
    ### BEGIN SOLUTION
    z1, _ = affine_forward(x, w1, b1)
    h = sigmoid(z1)
    z2, _ = affine_forward(h, w2, b2)
    out = sigmoid(z2)
    return out, (x, h, out, w2)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: you own the parts</summary>
#
# `affine_forward` and `sigmoid` are all you need, each twice.
# </details>
# <details><summary>Hint 2: unpack</summary>
#
# `affine_forward` returns two things. Write `z1, _ = affine_forward(x, w1, b1)`.
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# The second layer takes h, not z1 and not x. End with `return out, (x, h, out, w2)`.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_mlp_forward", "points": 3, "solution": false}
check("mlp_forward", mlp_forward)

# %% [markdown]
# **Look.** Your hand-made weights in your own network, on the four corners.

# %%
if ready(xor_weights=xor_weights, mlp_forward=mlp_forward):
    print(mlp_forward(CORNERS, *xor_weights())[0].ravel().round(4), "for the targets", XOR.ravel())

# %% [markdown]
# ### Universal approximation
#
# **Cybenko, 1989.** Let $f$ be continuous on the cube $[0,1]^D$ (or another compact set) and $\varepsilon > 0$. Then
# there are a number of units $H$ and numbers $v_j, w_j, b_j$ with
#
# $$\Bigl|\sum_{j=1}^{H} v_j\, \sigma(w_j \cdot x + b_j) - f(x)\Bigr| < \varepsilon
# \quad \text{for every } x \text{ in it.}$$
#
# One hidden layer of sigmoids, then a plain weighted sum.

# %% [markdown]
# Read what it does **not** say. Not how many units: $H$ may be enormous. Not how to find the weights: training may
# fail although good weights exist, as you will see for XOR. Nothing outside the compact set, and nothing about new
# data. It is a promise that the family is rich, no more.

# %% [markdown]
# **Look.** Hidden units at random places, output weights by least squares. **Predict:** how many units until the
# worst error is below 0.01: 5, 15 or 45?

# %%
line = np.linspace(0, 1, 300)
wave = np.sin(2 * np.pi * line) + 0.5 * np.sin(6 * np.pi * line)


def fitted(units):
    """The wave, rebuilt from `units` random sigmoid units."""
    rng = np.random.default_rng(SEED)
    hidden = expit(rng.normal(0, 25, units) * (line[:, None] - rng.uniform(0, 1, units)))
    return hidden @ np.linalg.lstsq(hidden, wave, rcond=None)[0]


# %%
plots.approximations(line, wave, {units: fitted(units) for units in (5, 15, 45)})

# %% [markdown]
# ## 9 · One number for "how wrong": the loss
#
# *5 minutes.* A network with several outputs needs a loss that adds them up.

# %% [markdown]
# ### One-hot targets and the mean squared error
#
# For a class $k$ of $D$ classes the target is a row of zeros with a single 1 in column $k$: **one-hot**. The
# **mean squared error** sums over the outputs and averages over the examples:
#
# $$L = \frac{1}{N} \sum_{i=1}^{N} \lVert \hat y_i - y_i \rVert^2
# = \frac{1}{N} \sum_{i=1}^{N} \sum_{k=1}^{D} (\hat y_{ik} - y_{ik})^2 .$$

# %% [markdown]
# Why one-hot and not the class number? As numbers, reading a 9 as an 8 would be a small error and reading it as a 0 a
# huge one. Classes have no such order. **Beware:** Torch's default also divides by $D$. Ours is $D$ times larger; say
# which one you mean whenever you report a loss.

# %% [markdown]
# **Worked example.** Three classes, target class 1, answers $(0.2, 0.7, 0.4)$:
#
# $$(0.2 - 0)^2 + (0.7 - 1)^2 + (0.4 - 0)^2 = 0.04 + 0.09 + 0.16 = 0.29 .$$
#
# Torch's default says $0.29 / 3 = 0.0967$.

# %%
plots.answers_and_target([0.2, 0.7, 0.4], 1)

# %%
answer = torch.tensor([[0.2, 0.7, 0.4]])
print(torch.nn.functional.mse_loss(answer, torch.tensor(one_hot(np.array([1]), 3), dtype=torch.float32)))

# %% [markdown]
# **Your turn: `mse_loss`** (2 points). Sum over the outputs, mean over the batch, one number out.

# %% nbgrader={"grade": false, "grade_id": "mse_loss", "solution": true}
def mse_loss(y_hat, y):
    """Squared error, summed over the outputs and averaged over the batch.

    Args:
        y_hat: answers, shape (N, D), float.
        y: targets, for example one-hot rows, shape (N, D), float.

    Returns:
        loss: a number (0-d), D times what Torch's default gives.
    """
    ### BEGIN SOLUTION
    return ((y_hat - y) ** 2).sum(axis=1).mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two directions</summary>
#
# Rows are examples, columns are outputs. One direction is summed, the other averaged.
# </details>
# <details><summary>Hint 2: the axis</summary>
#
# `.sum(axis=1)` adds the columns of every row and leaves shape (N,).
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# Square the difference, `.sum(axis=1)`, `.mean()`.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_mse_loss", "points": 2, "solution": false}
check("mse_loss", mse_loss)

# %% [markdown]
# ### Zero and one as targets
#
# A sigmoid stays strictly between 0 and 1, so targets are 0 and 1, never $-1$ and $+1$: an answer of $-1$ can't be
# reached, and the network would push its weights out for ever trying. Both values must occur: with only ones to
# imitate, the cheapest network answers 1 always.

# %% [markdown]
# Even 0 and 1 are reached only in the limit of infinite weights, so the loss never gets to exactly zero. An answer
# stays approximate: 0.97 for a 1 is fine. We decide with the threshold: class 1 if $o > \tfrac12$.

# %% [markdown]
# **Look.** Two ways to be wrong. **Predict** which costs more: one answer off by 0.9, or nine answers off by 0.3?

# %%
print(float(torch.tensor([0.9]).square().sum()), float(torch.full((9,), 0.3).square().sum()))

# %% [markdown]
# The same, up to rounding. Squares make one big miss as expensive as nine misses a third its size.

# %% [markdown]
# ## 10 · Backwards through the network
#
# *20 minutes, the heart of the lesson.* Each of the weights shares the blame for the loss. How much? The chain rule
# answers for all of them in one sweep from the end to the start.

# %% [markdown]
# ### The chain, box by box
#
# Forward (solid): $z_1 = x w_1^\top + b_1$, $h = \sigma(z_1)$, $z_2 = h w_2^\top + b_2$, $o = \sigma(z_2)$, then the
# loss. Backward (dashed): start with $\partial L/\partial o$ and multiply by one local slope per box.

# %%
plots.chain()

# %% [markdown]
# Each sigmoid contributes its slope, and we have its *output* at hand, so the slope is output times one minus
# output. Give the two products a name each, the **deltas**:
#
# $$\delta_2 = \frac{\partial L}{\partial o} \odot o\,(1 - o), \qquad
# \delta_1 = (\delta_2\, w_2) \odot h\,(1 - h).$$
#
# ($\odot$ multiplies element by element.)

# %% [markdown]
# A delta is the derivative of the loss by a score. A score is input times weight plus bias, so the rest is short:
# the gradient of a weight is *its input times its delta*, added up over the batch; the gradient of a bias is the
# delta, added up.
#
# $$\frac{\partial L}{\partial w_2} = \delta_2^\top h, \quad
# \frac{\partial L}{\partial b_2} = \sum_i \delta_{2,i}, \quad
# \frac{\partial L}{\partial w_1} = \delta_1^\top x, \quad \frac{\partial L}{\partial b_1} = \sum_i \delta_{1,i}.$$

# %% [markdown]
# **Worked example, one weight.** The network of section 8: input $(1, 0)$, $h = (0.731, 0.269)$, $w_2 = (2, 1)$,
# $o = 0.675$; target 0, loss $(o - 0)^2$. For the weight from $a_1$ to $h_1$:
#
# $$\underbrace{2 \cdot 0.675}_{\partial L / \partial o} \cdot \underbrace{0.675 \cdot 0.325}_{o(1-o)}
# \cdot \underbrace{2}_{w_2} \cdot \underbrace{0.731 \cdot 0.269}_{h(1-h)} \cdot \underbrace{1}_{a_1} = 0.1165 .$$

# %%
def loss_for(weight):
    """Loss of that network as a function of the weight from a1 to h1 alone."""
    h = expit(np.array([weight, -1.0]))
    return expit(2 * h[0] + h[1] - 1) ** 2


print("by nudging:", round((loss_for(1 + 1e-6) - loss_for(1 - 1e-6)) / 2e-6, 4))

# %% [markdown]
# **What is wrong here?** The notes write this derivative as $\delta_2 \cdot w_{1} \cdot \sigma'(h_1) \cdot a_1$,
# with $w_1$ the weight from $a_1$ to $h_1$ itself. There are two slips.
# <details><summary>Answer</summary>
#
# The blame travels back through the *output* weight, the one that leads from $h_1$ to $o$. And $\sigma'$ belongs to
# the pre-activation: $\sigma'(z_1) = h_1(1 - h_1)$. Putting the already activated $h_1$ into $\sigma'$ applies the
# sigmoid twice. The next section is about that slip.
# </details>

# %% [markdown]
# **Your turn: `mlp_backward`** (4 points). Six short lines, no loop. `dout` is $\partial L/\partial o$, already
# computed. Be proud of this one: it is what every deep-learning library does.

# %% nbgrader={"grade": false, "grade_id": "mlp_backward", "solution": true}
def mlp_backward(dout, cache):
    """Gradients of the loss by the weights and biases of the network of mlp_forward.

    Args:
        dout: derivative of the loss by the answers, shape (N, M), float.
        cache: (x, h, out, w2) from mlp_forward: shapes (N, D), (N, H), (N, M), (M, H).

    Returns:
        dw1: shape (H, D).
        db1: shape (H,).
        dw2: shape (M, H).
        db2: shape (M,).
    """
    ### BEGIN SOLUTION
    x, h, out, w2 = cache
    delta2 = dout * out * (1 - out)
    delta1 = (delta2 @ w2) * h * (1 - h)
    dw1, db1 = delta1.T @ x, delta1.sum(axis=0)
    dw2, db2 = delta2.T @ h, delta2.sum(axis=0)
    return dw1, db1, dw2, db2
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: the order</summary>
#
# Unpack the cache. Then the delta of the output, then the delta of the hidden layer, then four gradients.
# </details>
# <details><summary>Hint 2: let shapes guide you</summary>
#
# A gradient has the shape of what it belongs to. dw2 is (M, H); from delta2 (N, M) and h (N, H) there is only one
# way.
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# `delta2 = dout * out * (1 - out)` and `delta1 = (delta2 @ w2) * h * (1 - h)`. Weights: `delta.T @ input`.
# Biases: `delta.sum(axis=0)`.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_mlp_backward", "points": 4, "solution": false}
check("mlp_backward", mlp_backward)


# %% [markdown]
# **Look.** Torch finds the same gradients by itself (*automatic differentiation*, lesson 03). **Predict:** how many
# of the 33 numbers of a network 2-8-1 differ by more than $10^{-12}$?

# %%
def torch_gradients(x, y, weights):
    """Loss and gradients of the network 2-H-1 by Torch's autograd."""
    w1, b1, w2, b2 = tensors = [torch.as_tensor(w).detach().requires_grad_() for w in weights]
    out = torch.sigmoid(torch.sigmoid(x @ w1.T + b1) @ w2.T + b2)
    loss = ((out - y) ** 2).sum(dim=1).mean()
    return loss.detach(), torch.autograd.grad(loss, tensors)


# %%
def first_weights(inputs, hidden, outputs, seed=SEED):
    """Starting weights: uniform in plus or minus one over the root of the number of inputs; zero biases."""
    rng = np.random.default_rng(seed)
    w1 = rng.uniform(-1, 1, (hidden, inputs)) / np.sqrt(inputs)
    w2 = rng.uniform(-1, 1, (outputs, hidden)) / np.sqrt(hidden)
    return w1, np.zeros(hidden), w2, np.zeros(outputs)


# %%
if ready(mlp_forward=mlp_forward, mlp_backward=mlp_backward):
    start = first_weights(2, 8, 1)
    out, cache = mlp_forward(CORNERS, *start)
    mine = mlp_backward(2 * (out - XOR) / len(XOR), cache)
    theirs = torch_gradients(torch.tensor(CORNERS), torch.tensor(XOR), start)[1]
    apart = [abs(m - t.numpy()).ravel() for m, t in zip(mine, theirs, strict=True)]
    print("numbers that differ:", (np.concatenate(apart) > 1e-12).sum())

# %% [markdown]
# ## 11 · Bug hunt
#
# *5 minutes.* A classmate split the way back into small functions. Training creeps, yet nothing crashes. The suspect
# computes $\delta_1$, the derivative of the loss by the hidden pre-activations:

# %%
def hidden_delta_suspect(dout, h, out, w2):
    """Somewhere in these three lines sits one wrong slope."""
    delta2 = dout * out * (1 - out)
    slope = expit(h) * (1 - expit(h))
    return (delta2 @ w2) * slope


# %% [markdown]
# **The tool: a nudge.** Take one hidden unit with pre-activation $z$, $w_2 = 1$ and the loss equal to $o$. The
# suspect's delta must agree with the nudged slope for every $z$. **Predict** where it goes wrong most: near 0 or far
# out?

# %%
for z in (0.0, 2.0, 6.0):
    h, out = expit(z), expit(expit(z))
    suspect = hidden_delta_suspect(np.ones((1, 1)), np.full((1, 1), h), np.full((1, 1), out), np.ones((1, 1))).item()
    nudged = (expit(expit(z + 1e-5)) - expit(expit(z - 1e-5))) / 2e-5
    print(f"z = {z}: suspect {suspect:.5f}, nudged {nudged:.5f}")

# %%
plots.true_and_doubled_slope()

# %% [markdown]
# Signs are right, so the loss may still fall: such bugs survive for months. A saturated unit should hardly learn,
# yet the suspect gives it a full share of blame.

# %% [markdown]
# **Your turn: `hidden_delta`** (3 points). Write the function as it should be. Here `h` and `out` are values *after*
# the sigmoid.

# %% nbgrader={"grade": false, "grade_id": "hidden_delta", "solution": true}
def hidden_delta(dout, h, out, w2):
    """Derivative of the loss by the pre-activations of the hidden layer.

    Args:
        dout: derivative of the loss by the answers, shape (N, M), float.
        h: hidden values after the sigmoid, shape (N, H).
        out: answers after the sigmoid, shape (N, M).
        w2: output weights, shape (M, H).

    Returns:
        dz1: shape (N, H).
    """
    ### BEGIN SOLUTION
    delta2 = dout * out * (1 - out)
    return (delta2 @ w2) * h * (1 - h)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: which line?</summary>
#
# Two of the three lines are right. Which one calls the sigmoid on something that has been through it already?
# </details>
# <details><summary>Hint 2: the slope from the output</summary>
#
# If s is the sigmoid's output, its slope is s times (1 - s). No second sigmoid.
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# Copy the three lines and let the slope be `h * (1 - h)`.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_hidden_delta", "points": 3, "solution": false}
check("hidden_delta", hidden_delta)

# %% [markdown]
# ## 12 · Training XOR
#
# *15 minutes.* You have the answer, the loss and the gradients. Training repeats four steps: **forward**, **loss**,
# **backward**, **step**.
#
# $$\theta \leftarrow \theta - \eta\, \frac{\partial L}{\partial \theta}
# \qquad \text{with} \qquad \frac{\partial L}{\partial o} = \frac{2}{N}\,(o - y) .$$

# %% [markdown]
# The last formula is the derivative of *your* `mse_loss`: the 2 comes from the square, the $N$ from the mean over the
# batch. Because all examples are used in every step, this is **full-batch** gradient descent.

# %% [markdown]
# **Worked example, one step.** Four corners, answers 0.6, 0.5, 0.5, 0.4, targets 0, 1, 1, 0. Then
# $\partial L/\partial o = \tfrac24 (0.6, -0.5, -0.5, 0.4) = (0.3, -0.25, -0.25, 0.2)$: push the first and last answer
# down, the middle two up.

# %% [markdown]
# **Your turn: `train_xor`** (4 points). Repeat the four steps `steps` times and return the final weights. The check
# follows your first five steps, then tries your network on points it has not seen.

# %% nbgrader={"grade": false, "grade_id": "train_xor", "solution": true}
def train_xor(x, y, w1, b1, w2, b2, lr, steps):
    """Full-batch gradient descent on mse_loss for the network of mlp_forward.

    Args:
        x: inputs, shape (N, 2), float.
        y: targets 0 or 1, shape (N, 1), float.
        w1, b1, w2, b2: starting weights, shapes (H, 2), (H,), (1, H), (1,); must not be changed.
        lr: learning rate, a positive number.
        steps: how many steps to take, an integer >= 0.

    Returns:
        w1, b1, w2, b2: the weights after the last step, same shapes and dtypes.
    """
    ### BEGIN SOLUTION
    for _ in range(steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        dw1, db1, dw2, db2 = mlp_backward(2 * (out - y) / len(x), cache)
        w1, b1 = w1 - lr * dw1, b1 - lr * db1
        w2, b2 = w2 - lr * dw2, b2 - lr * db2
    return w1, b1, w2, b2
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: four lines in a loop</summary>
#
# Forward gives `out` and `cache`. From `out` and `y` comes `dout`. Backward gives four gradients. Then four updates.
# </details>
# <details><summary>Hint 2: two frequent slips</summary>
#
# The minus sign (we walk downhill), and `w -= ...`, which changes the caller's array. Write `w1 = w1 - lr * dw1`.
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# `dout = 2 * (out - y) / len(x)`. Compute all four gradients before you change any weight. Return after the loop.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_train_xor", "points": 4, "solution": false}
check("train_xor", train_xor)

# %% [markdown]
# **Look.** Set the learning rate, the number of hidden units and the seed, then press Play. **Your goals:** (1) all
# four corners with two hidden units within 2,000 steps; (2) a seed with which two units are still stuck by then.
# **Predict** first how many hidden units are enough.

# %%
XorTrainer()

# %% [markdown]
# ### How many hidden units?
#
# Two can represent XOR: you wrote the weights yourself. But gradient descent must *find* them from a random start.
# We trained 100 networks per size, started uniformly in $[-1, 1]$, 2,000 full-batch steps at rate 2, and counted
# those with all four corners right:
#
# | hidden units | 1 | 2 | 3 | 4 | 8 |
# |---|---|---|---|---|---|
# | reach 4 of 4 | 0 % | 80 % | 99 % | 99 % | 100 % |

# %% [markdown]
# Two **can**; four and more train **reliably**. The share depends on the start: from $[-2, 2]$ at rate 4 only 62 %
# of the two-unit networks arrive, and 98 % of those with four. Spare units give descent more ways around a bad
# start. That is the gap between *weights exist* and *training finds them*.

# %%
def share_solved(hidden, networks=100, steps=2000, rate=2.0, spread=1.0):
    """Share of randomly started networks 2-H-1 that training brings to 4 of 4 (all at once, in Torch)."""
    made = torch.Generator().manual_seed(0)
    shapes = ((2, hidden), (1, hidden), (hidden, 1), (1, 1))
    weights = [spread * (2 * torch.rand(networks, *s, generator=made, dtype=torch.float64) - 1) for s in shapes]
    x, y = torch.tensor(CORNERS), torch.tensor(XOR)
    for _ in range(steps):
        w1, b1, w2, b2 = weights = [w.detach().requires_grad_() for w in weights]
        out = torch.sigmoid(torch.sigmoid(x @ w1 + b1) @ w2 + b2)
        gradients = torch.autograd.grad(((out - y) ** 2).mean(dim=1).sum(), weights)
        weights = [w - rate * g for w, g in zip(weights, gradients, strict=True)]
    return ((out > 0.5) == (y > 0.5)).all(dim=1).double().mean().item()


# %%
shares = {}
for hidden in (1, 2, 4, 8):
    shares[hidden] = 100 * share_solved(hidden)
    print(f"{hidden} hidden units: {shares[hidden]:.0f} of 100 networks solved XOR")

# %%
plots.shares_solved(shares)

# %% [markdown]
# ### More data than the four corners
#
# Real inputs are rarely exactly 0 or 1. A network trained on the four corners has seen four points; what it answers
# around them is left to chance. Train on little clouds around the corners instead, and it must get whole regions
# right. Below: five starts, trained on 4 points or on 200, tested on 2,000 new points within 0.45 of a corner.
# **Predict** both percentages.

# %%
def right_on_clouds(copies, spread, seed):
    """Share of 2,000 new cloud points that a network 2-8-1 trained by your function gets right."""
    rng = np.random.default_rng(seed)
    x, y = xor_points(copies, spread, rng)
    weights = train_xor(x, y, *first_weights(2, 8, 1, seed), 2.0, 2000)
    new_x, new_y = xor_points(500, 0.45, np.random.default_rng(99))
    return ((mlp_forward(new_x, *weights)[0] > 0.5) == (new_y > 0.5)).mean()


# %%
if ready(mlp_forward=mlp_forward, train_xor=train_xor):
    for name, copies, spread in (("4 corners", 1, 0.0), ("200 cloud points", 50, 0.45)):
        found = [100 * right_on_clouds(copies, spread, seed) for seed in range(5)]
        print(f"trained on {name}: {np.mean(found):.0f} % of the new points right, worst start {min(found):.0f} %")

# %% [markdown]
# Both kinds of network get all four corners right. Only the clouds tell them apart: about 90 % against 98 %. The data
# decide where the border runs between the points you thought of.

# %% [markdown]
# ## 13 · How many numbers were that?
#
# *5 minutes.* Memory, time and the appetite for data all grow with the number of parameters. You should be able to
# count them on paper.

# %% [markdown]
# ### Counting parameters
#
# A layer from $n$ to $m$ units has $n \cdot m$ weights and $m$ biases. For a network with sizes
# $s_0, s_1, \dots, s_K$:
#
# $$\sum_{k=1}^{K} \bigl(s_{k-1}\, s_k + s_k\bigr).$$
#
# The input layer has no parameters of its own: it only hands the numbers in.

# %% [markdown]
# **Worked example.** Ten inputs, layers of 200 and 100 units, one output:
#
# $$10 \cdot 200 + 200 \cdot 100 + 100 \cdot 1 = 22{,}100 \text{ weights}, \qquad 200 + 100 + 1 = 301 \text{ biases}.$$
#
# Together 22,401. Course notes often quote 22,100: they leave the biases out. Both are right; say which you mean.

# %%
plots.weights_per_layer([10, 200, 100, 1])

# %% [markdown]
# **Your turn: `count_parameters`** (2 points). Any number of layers, with or without biases.

# %% nbgrader={"grade": false, "grade_id": "count_parameters", "solution": true}
def count_parameters(sizes, bias=True):
    """How many numbers a multilayer perceptron learns.

    Args:
        sizes: units per layer from input to output, a list of at least two integers, e.g. [10, 200, 100, 1].
        bias: whether every unit after the input has a bias.

    Returns:
        count: an int.
    """
    ### BEGIN SOLUTION
    count = 0
    for before, after in zip(sizes[:-1], sizes[1:], strict=True):
        count += before * after + (after if bias else 0)
    return count
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: neighbours</summary>
#
# Only neighbouring layers are joined. Walk through the pairs (10, 200), (200, 100), (100, 1).
# </details>
# <details><summary>Hint 2: pairs in Python</summary>
#
# `zip(sizes[:-1], sizes[1:])` gives exactly these pairs.
# </details>
# <details><summary>Hint 3: almost the answer</summary>
#
# Add `before * after` for each pair, and `after` once more if there are biases.
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_count_parameters", "points": 2, "solution": false}
check("count_parameters", count_parameters)

# %% [markdown]
# **Look.** Torch counts by making the network and adding up. **Predict** the number for the lab's network 64-32-10.

# %%
lab_network = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Sigmoid(), torch.nn.Linear(32, 10))
print(f"{sum(p.numel() for p in lab_network.parameters()):,}")

# %% [markdown]
# ## 14 · Exam corner
#
# *10 minutes, pen and paper.* Five questions, one point each. The numbers are yours: another learner gets others. In
# a class, set `LEARNER` in the setup cell to the id that your instructor gave you, and run that cell again.

# %%
exam_sheet("01_xor_mlp", learner=LEARNER)

# %% [markdown]
# **Your turn:** in each cell below, replace `None` by your number; the lines under it then do nothing. Run the cell,
# and the check after it.

# %% nbgrader={"grade": false, "grade_id": "exam_parameters", "solution": true}
### BEGIN SOLUTION exam_parameters = None  # replace None by your number
q = exam_numbers("exam_parameters", learner=LEARNER)
sizes = [q["inputs"], q["first"], q["second"], q["outputs"]]
exam_parameters = sum((before + 1) * after for before, after in zip(sizes[:-1], sizes[1:], strict=True))
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_parameters", "points": 1, "solution": false}
check("exam_parameters", exam_parameters, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_neuron", "solution": true}
### BEGIN SOLUTION exam_neuron = None  # replace None by your number
q = exam_numbers("exam_neuron", learner=LEARNER)
s = 1 / (1 + np.exp(-(q["w1"] * q["maths"] + q["w2"] * q["physics"] + q["b"])))
exam_neuron = round(-2 * (q["y"] - s) * s * (1 - s) * q["maths"], 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_neuron", "points": 1, "solution": false}
check("exam_neuron", exam_neuron, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_perceptron", "solution": true}
### BEGIN SOLUTION exam_perceptron = None  # replace None by your number
q = exam_numbers("exam_perceptron", learner=LEARNER)
y_hat = 1 if q["w1"] * q["x1"] + q["w2"] * q["x2"] + q["b"] > 0 else 0
exam_perceptron = round(q["w1"] + q["lr"] * (q["y"] - y_hat) * q["x1"], 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_perceptron", "points": 1, "solution": false}
check("exam_perceptron", exam_perceptron, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_mse", "solution": true}
### BEGIN SOLUTION exam_mse = None  # replace None by your number
q = exam_numbers("exam_mse", learner=LEARNER)
squares = [(q[f"p{i}{j}"] - q[f"y{i}{j}"]) ** 2 for i in (1, 2) for j in (1, 2)]
exam_mse = round(sum(squares) / 2, 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_mse", "points": 1, "solution": false}
check("exam_mse", exam_mse, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_hidden", "solution": true}
### BEGIN SOLUTION exam_hidden = None  # replace None by your number
q = exam_numbers("exam_hidden", learner=LEARNER)
exam_hidden = (q["parameters"] - 1) // 4
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_hidden", "points": 1, "solution": false}
check("exam_hidden", exam_hidden, learner=LEARNER)

# %% [markdown]
# ## 15 · Lab: read real handwriting
#
# *20 minutes.* 1,797 digits, written by thirteen people and reduced to 8×8 pixels of ink. A network 64-32-10 reads
# them: 64 pixels in, one answer per digit out. **Target: at least 93 % of the test images right.**

# %%
digits = load_digits()
first_of_each = [int(np.flatnonzero(digits.y_train == digit)[0]) for digit in range(10)]
plots.digit_images(digits.x_train[first_of_each], range(10))

# %% [markdown]
# One step takes 32 images, a **mini-batch**, and returns the loss and four gradients. First your way, from your own
# three functions; then Torch's way, where autograd does what you did by hand. Same weights, same batches, same rate.

# %%
def my_step(x, y, *weights):
    """Loss and gradients with your mlp_forward, mse_loss and mlp_backward."""
    out, cache = mlp_forward(x, *weights)
    return mse_loss(out, y), mlp_backward(2 * (out - y) / len(x), cache)


def torch_step(x, y, *weights):
    """The same with Torch."""
    return torch_gradients(x, y, weights)


# %%
def train(step, x, y, weights, rate=2.0, epochs=30, batch=32):
    """Mini-batch gradient descent: final weights, loss per epoch, seconds."""
    rng, losses, started = np.random.default_rng(SEED), [], time.perf_counter()
    for _ in range(epochs):
        order, total = rng.permutation(len(x)), 0.0
        for rows in np.split(order, range(batch, len(x), batch)):
            loss, gradients = step(x[rows], y[rows], *weights)
            weights = [w - rate * g for w, g in zip(weights, gradients, strict=True)]
            total += float(loss) * len(rows)
        losses.append(total / len(x))
        if len(losses) % 10 == 0:
            print(f"  epoch {len(losses)}: loss {losses[-1]:.4f}")
    return weights, losses, time.perf_counter() - started


# %%
def read_digits(x, weights):
    """The digit with the largest answer for each image."""
    w1, b1, w2, b2 = (np.asarray(torch.as_tensor(w).cpu()) for w in weights)
    return expit(expit(x @ w1.T + b1) @ w2.T + b2).argmax(axis=1)


# %% [markdown]
# **Your turn:** run the next cells. `USE_MINE = True` trains with your functions if they pass their checks; if not,
# Torch does the work alone and the picture says so.

# %%
USE_MINE = True
HIDDEN, RATE, EPOCHS = 32, 2.0, 30

# %%
start = first_weights(64, HIDDEN, 10)
x, y = digits.x_train, one_hot(digits.y_train, 10)
on_device = [torch.tensor(a, device=DEVICE) for a in (x, y, *start)]
torch_step(*on_device)  # Torch's very first step is slow; it must not spoil the comparison
theirs, torch_losses, torch_seconds = train(torch_step, *on_device[:2], on_device[2:], RATE, EPOCHS)
print(f"Torch: {torch_seconds:.2f} s, loss {torch_losses[-1]:.6f}")

# %%
mine, my_losses, my_seconds = theirs, None, None
if USE_MINE and ready(mlp_forward=mlp_forward, mse_loss=mse_loss, mlp_backward=mlp_backward):
    mine, my_losses, my_seconds = train(my_step, x, y, start, RATE, EPOCHS)
    print(f"NumPy: {my_seconds:.2f} s, loss {my_losses[-1]:.6f}")
    print(f"Torch took {torch_seconds / my_seconds:.1f} times as long as NumPy on this machine.")

# %%
plots.lab_curves(my_losses, torch_losses)

# %% [markdown]
# With your functions the two curves lie on each other: the same calculation, so only rounding differs. Who is
# faster? For a network as small as this one NumPy often is, because each Torch step first records the way back.
# Torch's turn comes with large layers, convolutions and graphics cards.

# %%
if my_losses is not None:
    print("largest difference of the two curves:", np.abs(np.subtract(my_losses, torch_losses)).max())

# %% [markdown]
# **Choose with the validation part.** Change `HIDDEN`, `RATE` or `EPOCHS` above, run from that cell down to here, and
# compare this number. Stop when you are satisfied: only then open the test part.

# %%
print(f"validation: {100 * (read_digits(digits.x_validation, mine) == digits.y_validation).mean():.1f} % right")

# %%
guess = read_digits(digits.x_test, mine)
score = 100 * (guess == digits.y_test).mean()
print(f"test: {score:.1f} % right.", "Target reached." if score >= 93 else "Below 93 %: go back to rate 2, 30 epochs.")

# %%
plots.confusion(digits.y_test, guess, 10)

# %%
wrong = np.flatnonzero(guess != digits.y_test)[:6]
plots.digit_images(digits.x_test[wrong], digits.y_test[wrong], guess[wrong])

# %% [markdown]
# Look at the misread ones. Would you have known? Which pairs look alike in 8×8 pixels?

# %% [markdown]
# **A last lesson in data engineering.** So far the images were shuffled, and every writer appears in all three
# parts. Keep the order of the file instead: then the test images come from the last writers. **Predict:** better,
# equal or worse?

# %%
by_writer = load_digits(mixed=False)
parts = [torch.tensor(a, device=DEVICE) for a in (by_writer.x_train, one_hot(by_writer.y_train, 10), *start)]
weights, *_ = train(torch_step, *parts[:2], parts[2:], RATE, EPOCHS)
guess = read_digits(by_writer.x_test, weights)
print(f"test on later writers: {100 * (guess == by_writer.y_test).mean():.1f} % right")

# %%
plots.confusion(by_writer.y_test, guess, 10)

# %% [markdown]
# The same network, the same number of images, and many more mistakes. The first score answers "new images by known
# hands", the second "new hands". Which one a bank needs is not a question of mathematics. Always ask how the test
# part was cut.

# %% [markdown]
# ## 16 · Open question
#
# *10 minutes, 3 points, read by a person.* **Your turn:** in five to ten sentences of your own, why can no single
# line separate XOR, and what does the hidden layer do to the four points?
#
# **One point each:** (1) a complete reason, such as the four inequalities; (2) where the hidden layer moves the four
# points; (3) why one line is enough there, and why that needs a bend: a linear hidden layer would not do.

# %% [markdown] nbgrader={"grade": true, "grade_id": "open_question_xor", "points": 3, "solution": true}
# A line gives a score $w_1 a_1 + w_2 a_2 + b$. XOR wants $b \le 0$ at $(0,0)$, $w_1 + b > 0$ at $(1,0)$,
# $w_2 + b > 0$ at $(0,1)$ and $w_1 + w_2 + b \le 0$ at $(1,1)$. The middle two add up to $w_1 + w_2 + 2b > 0$, the
# outer two to $w_1 + w_2 + 2b \le 0$: a contradiction.
#
# With an OR unit and an AND unit the corners move to about $(0,0)$, $(1,0)$, $(1,0)$ and $(1,1)$: both corners of
# target 1 land on the same point. There the line $h_1 - h_2 = \tfrac12$ separates the classes. Without a bend the
# hidden values would be linear in the inputs, the output would again be a line in $a_1, a_2$, and the contradiction
# would return.

# %% [markdown]
# ## Summary
#
# 1. A neuron is a weighted sum plus a bias; the sigmoid makes it smooth, so that it has a slope to follow.
# 2. One line cannot do XOR; a bent hidden layer moves the points until one line can.
# 3. Gradients travel backwards: delta times input for weights, delta for biases, and $s(1-s)$ of the activated value.
# 4. Two hidden units can represent XOR; four and more are found reliably by training.
# 5. Train on one part, choose on the second, report the third, and say how they were cut.

# %% [markdown]
# **Conventions used.** Rows are examples; weights are (outputs, inputs), $y = x W^\top + b$. `mse_loss` sums over
# outputs and averages over the batch. `neuron_gradient` sums over pupils. A perceptron's tie answers 0. float32 in,
# float32 out. Inputs are never changed.

# %% [markdown]
# **Further reading.** Robbins and Monro, *A stochastic approximation method* (1951). Rosenblatt, *The perceptron*
# (1958). Minsky and Papert, *Perceptrons* (1969). Rumelhart, Hinton and Williams, *Learning representations by
# back-propagating errors* (1986). Cybenko, *Approximation by superpositions of a sigmoidal function* (1989). LeCun
# and others, *Backpropagation applied to handwritten zip code recognition* (1989), *Gradient-based learning applied
# to document recognition* (1998).

# %% [markdown]
# **Next:** lesson 02 asks which bend to use, which loss fits which output, and where to start.
