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
# # Lesson 05 · Regularisation
#
# After this lesson you can
#
# - **measure** the gap between training and new examples, and say on which side of it a model fails;
# - **write** penalties, dropout, early stopping, augmentation and eight smaller measures;
# - **choose** among them on validation examples, and keep the test examples closed;
# - **show** that a network can learn random labels by heart, and **explain** why it does not have to;
# - **close** a gap of fifty points.

# %% [markdown]
# **Time:** about 4 hours, in three or four sittings, and 30 minutes more with the exercises marked *optional, for the
# proud*. Every section says how long it takes. Good places to stop: after sections 5, 9 and 14. Next time, select the
# cell where you stopped and choose *Run All Above*: your answers are kept.
#
# **Builds on:** lessons 01 to 04. You need their vocabulary, not your answers.

# %% [markdown]
# **How it works.** A section explains, shows an example, and says **Your turn**. Write your code where the cell says
# `YOUR CODE HERE`, run it, and run the check below it. Stuck? Open one hint, not three. The boxes **What is wrong
# here?** quote slips from circulating course notes.

# %% [markdown]
# **Your turn:** run the next cell. It prepares the lesson; there is nothing to write.

# %%
import numpy as np
import torch
import torch.nn.functional as functional
from numpy.polynomial import Polynomial

from course_lib import check, exam_numbers, exam_sheet, ready
from course_lib.data import load_digits, one_hot
from course_lib.numpy_kernels.activations import relu_backward, relu_forward, softmax
from course_lib.numpy_kernels.classification import cross_entropy
from course_lib.numpy_kernels.linear import affine_backward, affine_forward
from course_lib.plots import regularisation as plots
from course_lib.widgets.dropout import DropoutSlider
from course_lib.widgets.penalties import PenaltyCurve
from course_lib.widgets.playground import Playground
from course_lib.widgets.stopping import PatiencePlot

LEARNER = "self-study"
SEED = 1
torch.set_num_threads(1)  # networks this small only lose time when threads wait for each other
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
print("Torch will use", "the graphics card." if DEVICE == "cuda" else "the processor: enough for every cell here.")

# %% [markdown]
# ## 1 · Learnt by heart
#
# *10 minutes.* Real photographs are not centred. We put each digit of 8 x 8 pixels at a random place of a frame of
# 12 x 12, and keep only 300 labelled images for training, as if labels were expensive. The validation and test parts
# have 300 images each.


# %%
def in_frames(images, seed):
    """Each image (64,) at a random place of an empty frame of 12 x 12 pixels: (N, 144)."""
    corners = np.random.default_rng(seed).integers(0, 5, (len(images), 2)).tolist()
    framed = [
        np.pad(image.reshape(8, 8), ((top, 4 - top), (left, 4 - left)))
        for image, (top, left) in zip(images, corners, strict=True)
    ]
    return np.stack(framed).reshape(-1, 144)


digits = load_digits()
few_x, few_labels = in_frames(digits.x_train[:300], 11), digits.y_train[:300]
validation_x, test_x = in_frames(digits.x_validation, 12), in_frames(digits.x_test, 13)
first_rows = np.unique(few_labels, return_index=True)[1][:8]
plots.image_row(few_x[first_rows], [str(label) for label in few_labels[first_rows]])

# %% [markdown]
# Two short functions of Torch code do most of the training in this lesson; read them once. The network has one hidden
# layer, the optimiser is Adam (lesson 04), the loss is cross-entropy. `fit` is the usual loop. Its arguments `change`,
# `extra` and `watch` are functions that later sections hand over: noise on the inputs, a penalty, a look after each
# epoch. Without them it only trains.


# %%
def new_network(inputs=64, hidden=128, seed=SEED):
    """Scores of ten classes from a hidden layer of ReLU units; the first weights come from the seed."""
    torch.manual_seed(seed)
    layers = torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 10)
    return torch.nn.Sequential(*layers).double().to(DEVICE)


def fit(network, images, labels, epochs=60, change=None, extra=None, watch=None, seed=SEED):
    """Train with batches of 50; `change` alters inputs, `extra` adds to the loss, `watch` is called every epoch."""
    inputs, wanted = (torch.as_tensor(part, device=DEVICE) for part in (images, labels))
    optimiser, order = torch.optim.Adam(network.parameters(), lr=5e-3), torch.Generator().manual_seed(seed)
    seen = []
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs), generator=order).to(DEVICE).split(50):
            batch = change(inputs[rows]) if change else inputs[rows]
            loss = functional.cross_entropy(network(batch), wanted[rows])
            optimiser.zero_grad()
            (loss + extra(network, batch) if extra else loss).backward()
            optimiser.step()
        seen.append(watch(network) if watch else None)
    return seen


# %%
@torch.no_grad()
def score(network, images, labels):
    """Cross-entropy and percentage right of a network."""
    answers = network(torch.as_tensor(images, device=DEVICE)).cpu()
    wanted = torch.as_tensor(labels).cpu()
    right = (answers.argmax(dim=1) == wanted).double().mean()
    return float(functional.cross_entropy(answers, wanted)), 100 * float(right)


# %% [markdown]
# **Predict:** after 60 epochs this network reads all 300 training images right. How many of the 300 validation images
# will it read? (With 300 *centred* digits such a network reads 96 % of the test images.)


# %%
def both_parts(network):
    """Loss and percentage right on the 300 training images, then on the validation images."""
    return *score(network, few_x, few_labels), *score(network, validation_x, digits.y_validation)


by_heart = np.array(fit(new_network(144), few_x, few_labels, watch=both_parts))
print(f"training {by_heart[-1, 1]:.1f} %, validation {by_heart[-1, 3]:.1f} %")

# %% [markdown]
# ### The generalisation gap
#
# The difference between the loss (or the score) on new examples and on training examples is the **generalisation
# gap**. Training only ever lowers the first of two terms:
#
# $$\underbrace{L_{\text{new}}}_{\text{what we want}} = L_{\text{training}} + \underbrace{(L_{\text{new}} -
# L_{\text{training}})}_{\text{the gap}} .$$
#
# **Regularisation** is every measure that is meant to make the gap smaller, even if the training loss gets worse.

# %% [markdown]
# ## 2 · Too stiff and too flexible
#
# *10 minutes.* Networks are hard to look into. Polynomials show the same illness in one picture: twelve noisy points of
# a wave, and three models.

# %%
point_rng = np.random.default_rng(5)
wave_grid = np.sin(2 * np.pi * np.linspace(0, 1, 201))
wave_x = np.sort(point_rng.uniform(0, 1, 12))
wave_y = np.sin(2 * np.pi * wave_x) + point_rng.normal(0, 0.25, 12)
plots.polynomials(wave_x, wave_y, (1, 3, 11), wave_grid)

# %% [markdown]
# ### Underfitting
#
# A straight line cannot follow a wave, however long it is trained. Its error is large on the training points *and* on
# new ones, and the gap between the two is small: $E_{\text{train}} \approx E_{\text{new}}$. This is **underfitting**.
# More data does not help; a model with more freedom does, or training that goes on until it is finished. Networks
# underfit when they are too small, when the learning rate is wrong, and when they are regularised too much: the lab
# starts with such a one. Never regularise a model that underfits: look at the training loss first.

# %% [markdown]
# ### Overfitting
#
# Degree 11 has twelve coefficients for twelve points and runs through all of them, noise included. Its training error
# is 0, and between the points it swings wildly: **overfitting**. The error is then in the gap. More data helps, and so
# does everything in this lesson. In between lies a degree that is flexible enough for the wave and too stiff for the
# noise.

# %% [markdown]
# **Predict:** at which degree is the error on 200 new points lowest? And what does the error on the twelve training
# points do from there on?

# %%
new_x = point_rng.uniform(wave_x[0], wave_x[-1], 200)
new_y = np.sin(2 * np.pi * new_x) + point_rng.normal(0, 0.25, 200)
errors = {"training": [], "validation": []}
for degree in range(11):
    model = Polynomial.fit(wave_x, wave_y, degree)
    errors["training"].append(float(np.mean((model(wave_x) - wave_y) ** 2)))
    errors["validation"].append(float(np.mean((model(new_x) - new_y) ** 2)))
plots.error_by_degree(errors["training"], errors["validation"])

# %% [markdown]
# The plot ends at degree 10: the training error of degree 11 is 0, which has no place on a logarithmic axis, and its
# error on the new points is above 10,000. The training error can only fall, as every polynomial of degree 5 is also one
# of degree 6. So it says nothing about *which* degree to take. Only points that were not used for fitting can say that.
# With networks it is the same, with units, layers and epochs in place of the degree.

# %% [markdown]
# ## 3 · Weight penalties
#
# *15 minutes.* Written in powers of the input, the polynomial of degree 3 has no coefficient above 27; that of degree
# 11 has coefficients of hundreds of millions. So let size cost something: add a penalty to the loss, and training has
# to weigh error against size.

# %% [markdown]
# ### The L2 penalty
#
# $$L = L_{\text{data}} + \frac{\lambda}{2} \sum_j w_j^2, \qquad
# \frac{\partial L}{\partial w_j} = \frac{\partial L_{\text{data}}}{\partial w_j} + \lambda\, w_j .$$
#
# A step of gradient descent with rate $\eta$ becomes $w_j \leftarrow (1 - \eta\lambda)\, w_j - \eta\,
# \partial L_{\text{data}} / \partial w_j$: every weight shrinks by the same *share* before the data pulls. Hence the
# other name, **weight decay**. $\lambda$, the strength, is a hyperparameter. Biases are usually left out.

# %% [markdown]
# **What is wrong here?** "The loss becomes $L + \lambda \lVert\theta\rVert^2$, and its gradient
# $\nabla L + \lambda\,\theta$."
# <details><summary>Answer</summary>
#
# The gradient of $\lambda \lVert\theta\rVert^2$ is $2\lambda\,\theta$. Either write half of it, as this course does, or
# keep the 2. Both penalties circulate, so the same $\lambda$ may mean twice as much in another library.
# </details>

# %% [markdown]
# **Worked example.** $w = (3, -4)$ and $\lambda = 0.1$: the penalty is $0.05 \cdot (9 + 16) = 1.25$. Its gradient is
# $(0.3, -0.4)$: the larger weight is pulled harder.

# %%
two_weights = torch.tensor([3.0, -4.0], requires_grad=True)
(0.1 / 2 * two_weights.square().sum()).backward()
print(two_weights.grad)

# %% [markdown]
# **Your turn: `l2_penalty`** (1 point). Weights of any shape, one number back.


# %% nbgrader={"grade": false, "grade_id": "l2_penalty", "solution": true}
def l2_penalty(w, strength):
    """Half the sum of squares, times the strength.

    Args:
        w: weights, any shape, float; must not be changed.
        strength: what a unit of penalty costs, a number, 0 or more.

    Returns:
        penalty: a number (0-d), same dtype as w.
    """
    ### BEGIN SOLUTION
    return 0.5 * strength * (w * w).sum()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: one number</summary>
#
# Square every weight, then add up over all axes.
#
# <details><summary>Hint 2: two factors</summary>
#
# The strength, and one half. Neither a mean nor a root comes in.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `(w * w).sum()`, times `strength`, times `0.5`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_l2_penalty", "points": 1, "solution": false}
check("l2_penalty", l2_penalty)

# %% [markdown]
# ### The L1 penalty
#
# $$L = L_{\text{data}} + \lambda \sum_j |w_j|, \qquad
# \text{slope of the penalty: } \lambda\,\operatorname{sign}(w_j) .$$
#
# The pull no longer depends on the size: a weight of 0.001 is pulled as hard as one of 100, and it arrives at exactly 0
# if the data does not need it. L1 *selects*. At $w_j = 0$ there is a kink: every slope from $-\lambda$ to $\lambda$
# would do (a **subgradient**), and this course takes 0.

# %%
plots.penalty_corners()

# %% [markdown]
# Think of the penalty as a budget: choose the best weights inside a shape. It comes to the same: the weights with
# the lowest *sum* of loss and $\lambda$ times penalty also have the lowest loss among all weights whose penalty is no
# larger than theirs: any better ones would lower the sum. So each strength has its budget; the stronger, the smaller.
#
# The circle of L2 is touched somewhere on its round side, the diamond of L1 most easily at a corner, where one weight
# is 0.

# %% [markdown]
# **Worked example.** $w = (3, -4)$, $\lambda = 0.1$: penalty $0.1 \cdot 7 = 0.7$, slope $(0.1, -0.1)$. Now no data at
# all, rate 1, thirty steps from $(3, -4, 0.5)$. **Predict** which penalty reaches 0 exactly.

# %%
by_l2 = by_l1 = torch.tensor([3.0, -4.0, 0.5])
for _ in range(30):
    by_l2 = by_l2 - 0.1 * by_l2
    by_l1 = torch.sign(by_l1) * torch.clamp(by_l1.abs() - 0.1, min=0)  # a step that stops at 0
print("L2:", by_l2.numpy().round(4), " L1:", by_l1.numpy().round(4))

# %% [markdown]
# L2 multiplies by 0.9 again and again and never arrives. L1 takes away 0.1 each time; 0.5 is gone after five steps.
# (A plain step would jump to and fro around 0, so practice stops at 0, as here.)
#
# **Your turn: `l1_subgradient`** (1 point). One slope for each weight.


# %% nbgrader={"grade": false, "grade_id": "l1_subgradient", "solution": true}
def l1_subgradient(w, strength):
    """Slope of the L1 penalty, strength times the sum of absolute values.

    Args:
        w: weights, any shape, float; must not be changed.
        strength: what a unit of penalty costs, a number, 0 or more.

    Returns:
        slope: same shape and dtype as w; exactly 0 where w is 0.
    """
    ### BEGIN SOLUTION
    return strength * np.sign(w)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: three cases</summary>
#
# The slope of $|w|$ is 1 for positive, -1 for negative weights. At 0 take 0.
#
# <details><summary>Hint 2: without cases</summary>
#
# NumPy has a function for the sign. `w / np.abs(w)` is not it: it fails at 0.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `np.sign(w)`, times the strength.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_l1_subgradient", "points": 1, "solution": false}
check("l1_subgradient", l1_subgradient)

# %% [markdown]
# **Look.** A polynomial of degree 12 with an L2 penalty. **Predict** what the validation error does while the strength
# grows from almost nothing to very strong. Then reach the four goals.

# %%
PenaltyCurve()

# %% [markdown]
# ## 4 · Normalising the data
#
# *5 minutes.* A penalty treats all weights alike. That is fair only when all inputs are alike: a length in
# millimetres needs a weight a thousand times smaller than the same length in metres, and pays a million times less.

# %% [markdown]
# ### Normalising
#
# For each input $j$, take mean and standard deviation over the **training** examples, and use them for all parts:
#
# $$\hat x_j = \frac{x_j - \mu_j}{\sigma_j} .$$
#
# An input that is constant in training has $\sigma_j = 0$; divide by 1 there. Normalising does not close a gap by
# itself. It makes penalties fair, makes usual learning rates fit, and keeps training and test in the same units;
# whoever forgets it on the test images sees a gap that is none.

# %%
centre, width = digits.x_train[:600].mean(axis=0), digits.x_train[:600].std(axis=0)
scaled_inputs = {
    "0 to 255": 255 * digits.x_train[:600],
    "0 to 16": 16 * digits.x_train[:600],
    "0 to 1": digits.x_train[:600],
    "normalised": (digits.x_train[:600] - centre) / np.where(width > 0, width, 1),
}

# %% [markdown]
# **Look.** The same network on the same 600 images, plain gradient descent with rate 0.1, in four units. **Predict**
# which curve does not move at all.


# %%
def plain_descent(images, labels, epochs=20, rate=0.1):
    """Training loss per epoch of mini-batch gradient descent with a constant rate."""
    network, order = new_network(), torch.Generator().manual_seed(SEED)
    inputs, wanted, told = torch.as_tensor(images, device=DEVICE), torch.as_tensor(labels, device=DEVICE), []
    optimiser = torch.optim.SGD(network.parameters(), lr=rate)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs), generator=order).to(DEVICE).split(50):
            optimiser.zero_grad()
            functional.cross_entropy(network(inputs[rows]), wanted[rows]).backward()
            optimiser.step()
        told.append(score(network, images, labels)[0])
    return told


plots.scales({name: plain_descent(images, digits.y_train[:600]) for name, images in scaled_inputs.items()})

# %% [markdown]
# The unit of the inputs is a hidden learning rate: with 0 to 255 the first steps kill the units, with 0 to 1 learning
# is slow. With 0 to 16 it is even quicker than with normalised inputs (last loss 0.011 against 0.087): that unit
# happens to suit rate 0.1. Nobody knows beforehand which unit does; normalised inputs do well without such luck.
#
# **What is wrong here?** "First I normalised all 1,797 images, then I cut them into three parts."
# <details><summary>Answer</summary>
#
# Mean and deviation then know the test images. The leak is small here, and large with few or unusual examples. Cut
# first; compute $\mu$ and $\sigma$ from the training part only.
# </details>

# %% [markdown]
# ## 5 · Bug hunt: early stopping
#
# *20 minutes.* A careless clerk types the labels of 300 centred digits; almost a third are random. The training loss
# goes on falling. The validation loss does not.

# %%
clerk = np.random.default_rng(SEED)
mistyped = digits.y_train[:300].copy()
slips = clerk.random(300) < 0.3
mistyped[slips] = clerk.integers(0, 10, slips.sum())
print(f"{(mistyped != digits.y_train[:300]).sum()} of 300 labels are wrong")


# %%
def losses_of_both(network):
    """Loss and percentage right on the mistyped training images, then on the validation images."""
    seen = score(network, digits.x_train[:300], mistyped)
    return *seen, *score(network, digits.x_validation, digits.y_validation)


careless = np.array(fit(new_network(), digits.x_train[:300], mistyped, epochs=100, watch=losses_of_both))
print(f"validation loss: lowest {careless[:, 2].min():.2f}, at the end {careless[-1, 2]:.2f}")

# %% [markdown]
# ### Early stopping
#
# The whole training, as one would write it on a board:
#
# 1. draw the first weights (lesson 02);
# 2. each epoch: cut the shuffled training part into mini-batches, one step $\theta \leftarrow \theta - \eta\,
#    \nabla_\theta L_{\text{batch}}$ for each;
# 3. after each epoch compute the loss on the validation part; if it is better than that of the stored weights,
#    **store the weights**;
# 4. if it has not been better for `patience` epochs in a row, **stop**, and return to the stored weights.

# %% [markdown]
# Why is that a regulariser? Weights start small and need time to grow. Whoever stops early keeps them near their start,
# much as an L2 penalty would. It costs no extra time, it saves some, and the number of epochs chooses itself.

# %% [markdown]
# A loss counts as better when it is *below* the best so far minus `min_delta`; equal is not better. Progress that is
# too small does not count at all: nothing is stored, and the best stays what it was. Epochs count from 0. A loss that
# is not a number (NaN) is never better. Here is a classmate's version.


# %%
def early_stopping_suspect(losses, patience, min_delta=0.0):
    """Two things are wrong. A curve that falls smoothly to its end shows neither."""
    best, last, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < last - min_delta:
            best, waited = epoch, 0
        else:
            waited += 1
        last = loss
        if waited > patience:
            return epoch, best
    return len(losses) - 1, best


print(early_stopping_suspect(np.array([0.9, 0.7, 0.5, 0.4, 0.3]), patience=2))

# %% [markdown]
# **The tool: two promises** (for a `min_delta` of 0). (1) The epoch that is kept has the lowest loss of all epochs up
# to the stop. (2) Training that stops before the end stops exactly `patience` epochs after the one it keeps.
# **Predict** which promise each list breaks, if any.


# %%
def stop_promises(function, curve, allowed):
    """Print what an early-stopping function answers, and which of the two promises it keeps."""
    stop, kept = function(np.array(curve), allowed)
    lowest = curve[kept] == min(curve[: stop + 1])
    waits = stop == len(curve) - 1 or stop - kept == allowed
    print(f"stops after epoch {stop}, keeps {kept}; keeps the lowest: {lowest}; waits as agreed: {waits}")


# %%
three_curves = {
    "falls to its end": [0.9, 0.7, 0.5, 0.4, 0.3],
    "falls, then rises": [0.9, 0.6, 0.4, 0.3, 0.35, 0.45, 0.55, 0.6, 0.7],
    "up and down": [0.8, 0.3, 0.5, 0.4, 0.6, 0.45, 0.55, 0.35, 0.7, 0.5],
}
for name, curve in three_curves.items():
    print(name, end=": ")
    stop_promises(early_stopping_suspect, curve, 3)

# %% [markdown]
# **Your turn: `early_stopping`** (3 points). Write the function as it should be. Take the third list and a pencil:
# note the best loss so far beside each epoch.


# %% nbgrader={"grade": false, "grade_id": "early_stopping", "solution": true}
def early_stopping(losses, patience, min_delta=0.0):
    """Where training stops, and which epoch's weights are kept.

    Args:
        losses: validation loss after each epoch, shape (E,), E at least 1, float; may hold NaN.
        patience: how many epochs in a row may be no better, an integer, at least 1.
        min_delta: what counts as progress, 0 or more.

    Returns:
        last: the last epoch that is trained, counted from 0, an integer.
        best: the epoch whose weights are kept, an integer.
    """
    ### BEGIN SOLUTION
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < lowest - min_delta:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
        if waited >= patience:
            return epoch, best
    return len(losses) - 1, best
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: compared with what?</summary>
#
# After 0.3 and 0.5 the suspect is happy about 0.4. Which loss should 0.4 be compared with?
#
# <details><summary>Hint 2: how long?</summary>
#
# With a patience of 1, the very first epoch that is no better ends the training. How large is `waited` then?
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Keep the *lowest* loss in place of the last one, and change it only together with `best`. Stop when `waited` has
# reached `patience`. Ask "is it better?", not "is it worse?": then NaN is no better by itself.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_early_stopping", "points": 3, "solution": false}
check("early_stopping", early_stopping)

# %% [markdown]
# **Look.** The clerk's labels, and where your function stops the training. **Predict** how much of the score it saves.
# (Without your function the picture shows where the validation loss was lowest.)

# %%
careless_loss = careless[:, 2]
stop_at, keep_at = len(careless_loss) - 1, int(careless_loss.argmin())
if ready(early_stopping=early_stopping):
    stop_at, keep_at = early_stopping(careless_loss, 10)
print(f"validation: {careless[keep_at, 3]:.1f} % with the weights kept, {careless[-1, 3]:.1f} % at the end")
plots.stopping(careless[:, 0], careless_loss, keep_at, stop_at)

# %% [markdown]
# First the network learns what most labels say, then it learns the slips by heart; stopping catches it in between. But
# loss and score may disagree: for the network of section 1 the weights with the lowest validation loss read *fewer*
# images than the last ones, as the next cell says. Late in training the answers become surer, also the wrong ones. Stop
# on the number that you care about.

# %%
lowest_at = int(by_heart[:, 2].argmin())
for epoch in (lowest_at, 59):
    print(f"section 1, epoch {epoch}: validation loss {by_heart[epoch, 2]:.2f}, {by_heart[epoch, 3]:.1f} % right")

# %% [markdown]
# **Look.** Real validation curves are jagged. **Predict** which weights a patience of 5 keeps: the last ones, the best
# so far, or the best of the whole curve? Then reach the four goals.

# %%
PatiencePlot()

# %% [markdown]
# ## 6 · Data augmentation
#
# *25 minutes.* The best cure for overfitting is more data. Often one can *make* some.

# %% [markdown]
# ### Data augmentation
#
# A three that is moved by a pixel is still a three. Every change that keeps the label gives new examples for nothing:
# shifts, small turns, crops, other brightness, and mirrored photographs of cats. In training, each batch is changed at
# random, so no image is seen twice in the same way; validation and test images stay as they are. The network *learns*
# that the change does not matter.

# %% [markdown]
# The choice says what you believe about the world. **Predict** which digits below still carry their label. The function
# is Torch's way to do it, with a sampling grid. There is no need to read it; yours comes next, and is simpler.


# %%
def torch_augment(images, moves, mirrored):
    """Square images (N, side * side), mirrored where asked, then moved by rows and columns, by Torch's grid."""
    side, many = round(images.shape[1] ** 0.5), len(images)
    sign = np.where(mirrored, -1.0, 1.0)
    maps = torch.zeros(many, 2, 3, dtype=torch.float64)
    maps[:, 0, 0], maps[:, 1, 1] = torch.as_tensor(sign), 1.0
    maps[:, 0, 2] = torch.as_tensor(-2 * sign * moves[:, 1] / side)
    maps[:, 1, 2] = torch.as_tensor(-2 * moves[:, 0] / side)
    grid = functional.affine_grid(maps, (many, 1, side, side), align_corners=False)
    pixels = torch.as_tensor(images).reshape(many, 1, side, side)
    return functional.grid_sample(pixels, grid, mode="nearest", align_corners=False).reshape(many, -1).numpy()


# %%
example_moves = np.array([[0, 0], [0, 0], [2, 1], [-1, 2], [0, 0], [0, 0], [-2, 0], [0, -2]])
example_mirrors = np.array([False, True, False, False, False, True, False, True])
example_rows = np.repeat([int(np.flatnonzero(few_labels == wanted)[0]) for wanted in (2, 3)], 4)
plots.image_row(
    torch_augment(few_x[example_rows], example_moves, example_mirrors),
    [
        f"{few_labels[row]}{' mirrored' if flip else ''}"
        for row, flip in zip(example_rows, example_mirrors, strict=True)
    ],
)

# %% [markdown]
# A mirrored 2 is no digit any more, but a mirrored 8 still is one. Mirroring is right for cats and doubtful for digits;
# the lab measures what it costs.
#
# **Worked example.** The row $(1, 2, 3)$, mirrored and then moved right by one: first $(3, 2, 1)$, then $(0, 3, 2)$.
# A zero moves in on the left, and the 1 leaves on the right.

# %% [markdown]
# **Your turn: `augment_shift_flip`** (4 points). Images in the usual order: example, channel, row, column. First mirror
# left to right where `flips` says so, then move by `shifts[n]`: rows down, columns right, negative numbers up and left.
# Zeros move in; nothing comes back on the other side. Be proud of this one.


# %% nbgrader={"grade": false, "grade_id": "augment_shift_flip", "solution": true}
def augment_shift_flip(x, shifts, flips):
    """Images that are first mirrored, where asked, and then moved; zeros move in.

    Args:
        x: images, shape (N, C, H, W), float; must not be changed.
        shifts: rows down and columns right of each image, shape (N, 2), integers, also negative,
            rows less than H and columns less than W in size.
        flips: which images are mirrored left to right, shape (N,), bool.

    Returns:
        out: shape (N, C, H, W), same dtype as x, with
            out[n, c, i, j] = mirrored[n, c, i - shifts[n, 0], j - shifts[n, 1]], 0 where that lies outside.
    """
    ### BEGIN SOLUTION
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(shifts):
        image = x[n, :, :, ::-1] if flips[n] else x[n]
        padded = np.pad(image, ((0, 0), (h, h), (w, w)))
        out[n] = padded[:, h - down : 2 * h - down, w - right : 2 * w - right]
    return out
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: image by image</summary>
#
# A loop over the images is fine. `image[:, :, ::-1]` mirrors the last axis of one image (C, H, W). Write into a new
# array of zeros.
#
# <details><summary>Hint 2: move without leaving</summary>
#
# `np.roll` brings back on the left what left on the right. Instead, put a broad frame of zeros around the image with
# `np.pad` and cut out a window.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# With H rows of zeros above and below, the unmoved image starts at row H. To move it *down* by `down`, cut the window
# that starts at row `H - down` and has H rows. The same for columns.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_augment_shift_flip", "points": 4, "solution": false}
check("augment_shift_flip", augment_shift_flip)

# %% [markdown]
# **Look.** Your function beside Torch's, on all 300 images with random moves. **Predict** the largest difference.

# %%
if ready(augment_shift_flip=augment_shift_flip):
    look_rng = np.random.default_rng(SEED)
    some_moves, some_mirrors = look_rng.integers(-2, 3, (300, 2)), look_rng.random(300) < 0.5
    mine = augment_shift_flip(few_x.reshape(-1, 1, 12, 12), some_moves, some_mirrors).reshape(300, -1)
    print("largest difference:", np.abs(mine - torch_augment(few_x, some_moves, some_mirrors)).max())

# %% [markdown]
# ## 7 · Noise, on purpose
#
# *10 minutes, and 10 more for the optional exercise.* Some augmentation needs no knowledge of the world at all.

# %% [markdown]
# ### Noise robustness
#
# Add a little random noise to the inputs of every batch, $\tilde x = x + \varepsilon$ with $\varepsilon \sim
# \mathcal N(0, s^2)$. Nearby inputs must then get the same answer, so the function becomes flatter around the examples.
# For a linear model with squared error one can compute the mean effect: $(w \cdot (x + \varepsilon) - y)^2$ costs
# $s^2 \lVert w \rVert^2$ more on average. **Noise on the inputs is an L2 penalty in disguise.** Noise on the weights
# and on the labels works in a similar way, and dropout is noise on the hidden units.

# %% [markdown]
# **Look.** Two networks, 300 centred digits; one of them trains with noise of deviation 0.3. Then the test images get
# noisier and noisier. **Predict** where the two curves part, and which one is ahead without noise.

# %%
noise_maker = torch.Generator().manual_seed(9)


def with_noise(batch, deviation=0.3):
    """The batch with independent noise on every pixel."""
    drawn = torch.randn(batch.shape, generator=noise_maker, dtype=torch.float64)
    return batch + deviation * drawn.to(batch.device)


# %%
noise_steps, noisy_right = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5), {}
grain = np.random.default_rng(SEED).normal(0, 1, digits.x_test.shape)
for name, changed in (("trained with noise", with_noise), ("trained without", None)):
    reader = new_network()
    fit(reader, digits.x_train[:300], digits.y_train[:300], change=changed)
    noisy_right[name] = [score(reader, digits.x_test + step * grain, digits.y_test)[1] for step in noise_steps]
plots.noise_levels(noise_steps, noisy_right)

# %% [markdown]
# Without noise neither is ahead: both read 96.0 %, and with four other starts they were never more than one image of
# the 300 apart. So the noise in training cost nothing here, and it pays from a deviation of 0.2 on.

# %% [markdown]
# ### Label smoothing
#
# Labels can be noisy too: people mistype. With one-hot targets, cross-entropy is never satisfied; it wants scores that
# differ without end. **Label smoothing** asks for a little less: spread $\varepsilon$ over all $C$ classes, the right
# one included.
#
# $$\tilde y = (1 - \varepsilon)\, y + \frac{\varepsilon}{C}$$

# %% [markdown]
# **Worked example.** $C = 4$, $\varepsilon = 0.2$: the right class gets $0.8 + 0.05 = 0.85$, each other one $0.05$;
# together 1. A row that is already a mixture, such as $(0.5, 0.5, 0, 0)$, becomes $(0.45, 0.45, 0.05, 0.05)$ by the
# same formula. Torch's loss has it as an argument:

# %%
four_scores, right_class = torch.tensor([[2.0, 1.0, 0.0, -1.0]]), torch.tensor([0])
for smoothing in (0.0, 0.2):
    print(smoothing, functional.cross_entropy(four_scores, right_class, label_smoothing=smoothing).item())

# %% [markdown]
# **Your turn: `label_smoothing`** (1 point). One line, for one-hot rows and for mixtures.


# %% nbgrader={"grade": false, "grade_id": "label_smoothing", "solution": true}
def label_smoothing(y, eps=0.1):
    """Targets that leave a little for every class.

    Args:
        y: one-hot rows or mixtures of classes, shape (N, C), float; must not be changed.
        eps: the share that is spread over all C classes, from 0 to 1.

    Returns:
        smoothed: shape (N, C), same dtype as y; each row still adds up to 1.
    """
    ### BEGIN SOLUTION
    return (1 - eps) * y + eps / y.shape[1]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: which number is C?</summary>
#
# The number of columns of y, not of rows.
#
# <details><summary>Hint 2: no cases</summary>
#
# The formula is the same for every entry. Do not ask where y is 1: in a mixture nothing is.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `(1 - eps) * y`, plus `eps / y.shape[1]`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_label_smoothing", "points": 1, "solution": false}
check("label_smoothing", label_smoothing)

# %% [markdown]
# **Mixup** goes one step further and mixes whole examples: with a partner $\pi(i)$ for each example $i$ and one share
# $\lambda$ for the batch, drawn anew each time,
#
# $$\tilde x_i = \lambda\, x_i + (1 - \lambda)\, x_{\pi(i)}, \qquad \tilde y_i = \lambda\, y_i + (1 - \lambda)\,
# y_{\pi(i)} .$$
#
# Between a 3 and an 8 the network is asked to answer "some of both" rather than to jump.

# %% [markdown]
# **Your turn: `mixup`** (2 points, *optional, for the proud*). Partners and share are given. Inputs may have any number
# of axes after the first.


# %% nbgrader={"grade": false, "grade_id": "mixup", "solution": true}
def mixup(x, y, lam, perm):
    """Each example mixed with its partner, inputs and targets alike.

    Args:
        x: inputs, shape (N, ...), float; must not be changed.
        y: targets, shape (N, D), same dtype as x; must not be changed.
        lam: the share of the example itself, from 0 to 1; its partner has the rest.
        perm: the partner of example i is example perm[i], shape (N,), integers.

    Returns:
        mixed_x: same shape and dtype as x.
        mixed_y: same shape and dtype as y.
    """
    ### BEGIN SOLUTION
    return lam * x + (1 - lam) * x[perm], lam * y + (1 - lam) * y[perm]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: the partners</summary>
#
# `x[perm]` is an array of the same shape with the partner of each example in its place.
#
# <details><summary>Hint 2: new arrays</summary>
#
# `x *= lam` would change the partners before they are used, and the caller's array too.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `lam * x + (1 - lam) * x[perm]`, and the same line for y. Return both.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_mixup", "points": 2, "solution": false}
check("mixup", mixup)

# %% [markdown]
# ## 8 · Images without labels
#
# *10 minutes.* Labels are expensive, images are not. Can 1,097 unlabelled images help 100 labelled ones?

# %% [markdown]
# ### Semi-supervised learning
#
# Methods that use both are called **semi-supervised**. The simplest makes **pseudo-labels**: train on the labelled
# images; let the network label the others; keep the answers it is sure about, with $\max_k p_k \ge t$; train again on
# both. It works when sure answers are mostly right. It fails when the network is sure and wrong: it then learns its own
# mistakes. The threshold $t$ trades how many labels one gets against how good they are.

# %% [markdown]
# **Worked example.** $p = (0.5, 0.5)$ and $(0.25, 0.75)$, threshold 0.75: the labels are 0 (the first of equals) and
# 1; only the second is sure. Exactly at the threshold counts as sure.
#
# **Your turn: `pseudo_labels`** (1 point). A label for *every* example, and who is sure.


# %% nbgrader={"grade": false, "grade_id": "pseudo_labels", "solution": true}
def pseudo_labels(probabilities, threshold=0.95):
    """The most probable class of each example, and where the model is sure of it.

    Args:
        probabilities: a model's answers, shape (N, C), float.
        threshold: how probable the class must be at least, from 0 to 1.

    Returns:
        labels: shape (N,), integers; of equal classes the first.
        sure: shape (N,), bool; True at the threshold and above.
    """
    ### BEGIN SOLUTION
    return probabilities.argmax(axis=1), probabilities.max(axis=1) >= threshold
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two questions per row</summary>
#
# Which column is largest, and how large is it?
#
# <details><summary>Hint 2: the axis</summary>
#
# Rows are examples. Both answers run along axis 1 and have shape (N,).
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `argmax(axis=1)` for the labels; `max(axis=1)` compared with `>=` for the second. Leave the unsure labels in.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_pseudo_labels", "points": 1, "solution": false}
check("pseudo_labels", pseudo_labels)

# %% [markdown]
# **Look.** A hundred labelled digits, the rest without labels, three starts. **Predict** how good sure labels are at
# threshold 0.8, and whether they help.

# %%
if ready(pseudo_labels=pseudo_labels):
    for start in (1, 2, 3):
        teacher, pupil = new_network(seed=start), new_network(seed=start)
        fit(teacher, digits.x_train[:100], digits.y_train[:100])
        with torch.no_grad():
            told = teacher(torch.as_tensor(digits.x_train[100:], device=DEVICE)).softmax(dim=1).cpu().numpy()
        guessed, trusted = pseudo_labels(told, 0.8)
        good = 100 * (guessed[trusted] == digits.y_train[100:][trusted]).mean()
        both_x = np.concatenate([digits.x_train[:100], digits.x_train[100:][trusted]])
        fit(pupil, both_x, np.concatenate([digits.y_train[:100], guessed[trusted]]), epochs=30)
        scores = [score(who, digits.x_validation, digits.y_validation)[1] for who in (teacher, pupil)]
        print(f"{trusted.sum()} sure, {good:.1f} % of them right; validation {scores[0]:.1f} -> {scores[1]:.1f} %")

# %% [markdown]
# Between nothing and two points or so: not bad for images that cost nothing. With 30 labelled images threshold 0.8
# gains two to three points, and 0.95 loses in some starts: what is left then are the easy images only, and not evenly
# from all digits. Try it, and judge on several starts.

# %% [markdown]
# ## 9 · One network, several tasks
#
# *15 minutes.* Someone who reads digits could also tell how thick the pen was. What is learnt for one question can
# serve another.

# %% [markdown]
# ### Multi-task learning
#
# The tasks share the first layers, and each has an output of its own. Features that serve several tasks are less likely
# to be accidents of one: the other tasks act as a regulariser. The loss is a weighted sum. Often not every target is
# known for every example, so each task is averaged over the examples *it* has:
#
# $$L = \sum_{t=1}^{T} \omega_t \cdot \frac{1}{n_t} \sum_{i \text{ known for } t} (\hat y_{it} - y_{it})^2, \qquad
# n_t = \text{number of known targets of task } t .$$

# %% [markdown]
# **Worked example.** Two examples, two tasks; answers $(3, 1)$ and $(0, 9)$, targets all 0, the last one unknown,
# weights 1 and 0.5. Task 1: $(9 + 0)/2 = 4.5$. Task 2: only the first example counts, $1/1 = 1$. Together
# $1 \cdot 4.5 + 0.5 \cdot 1 = 5$.

# %% [markdown]
# What stands in `y` where nothing is known must not matter, not even NaN. Beware: `0 * nan` is `nan`. And a task
# without a single known target adds nothing; do not divide by zero.
#
# **Your turn: `multitask_loss`** (2 points).


# %% nbgrader={"grade": false, "grade_id": "multitask_loss", "solution": true}
def multitask_loss(y_hat, y, known, weights):
    """Squared errors, averaged over the known targets of each task, weighted and added up.

    Args:
        y_hat: answers, one column per task, shape (N, T), float; must not be changed.
        y: targets, shape (N, T), same dtype; anything, also NaN, where they are not known.
        known: which targets are known, shape (N, T), bool.
        weights: one per task, shape (T,), same dtype.

    Returns:
        loss: a number (0-d), same dtype as y_hat. A task without known targets adds 0.
    """
    ### BEGIN SOLUTION
    squares = np.where(known, y_hat - y, 0) ** 2
    often = np.maximum(known.sum(axis=0), 1).astype(y.dtype)
    return (weights * squares.sum(axis=0) / often).sum()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: choose, do not multiply</summary>
#
# `np.where(known, y_hat - y, 0)` takes the error where it is known and 0 elsewhere.
#
# <details><summary>Hint 2: three steps</summary>
#
# Square; add up each column; divide by the number of known targets of that column, `known.sum(axis=0)`, at least 1.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `weights * column_sums / np.maximum(known.sum(axis=0), 1)`, added up. The counts are integers: to keep float32, give
# them the dtype of y with `.astype(y.dtype)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_multitask_loss", "points": 2, "solution": false}
check("multitask_loss", multitask_loss)

# %% [markdown]
# **Look.** The weights $\omega_t$ decide who is heard. **Predict** what happens to the sum when task 2 is measured in
# millimetres in place of metres, with equal weights.

# %%
two_errors = torch.tensor([[0.2, 0.3], [0.4, 0.1]], dtype=torch.float64)
for unit, factor in (("metres", 1), ("millimetres", 1000)):
    parts = (two_errors * torch.tensor([1, factor])).square().mean(dim=0)
    print(f"{unit}: task 1 {parts[0]:.2f}, task 2 {parts[1]:.2f}, sum {parts.sum():.2f}")

# %% [markdown]
# A task in small units drowns the others, although nothing has become worse. Normalise targets as you normalise
# inputs, and choose weights on validation examples of the task you care about.

# %% [markdown]
# ## 10 · Sharing and tying
#
# *5 minutes, and 10 more for the optional exercise.* Fewer free numbers can learn less by heart.

# %% [markdown]
# ### Parameter tying
#
# Let one number serve in several places: the same weight at every place of an image (lesson 06 is built on that), the
# same matrix for reading and writing, the same weight twice in a graph (lesson 03 had one). Wherever it is used, it
# gets a slope; the chain rule adds them up:
#
# $$\frac{\partial L}{\partial \theta_k} = \sum_{j \text{ uses } \theta_k} \frac{\partial L}{\partial w_j} .$$

# %% [markdown]
# **Count it yourself.** A network reads 64 pixels into 20 hidden units and writes 64 pixels again, with biases. How
# many numbers, and how many if the second matrix is the first one transposed?
# <details><summary>Answer</summary>
#
# Untied: $64 \cdot 20 + 20 + 20 \cdot 64 + 64 = 2644$. Tied: one matrix less, $1280 + 20 + 64 = 1364$. Biases are not
# tied.
# </details>

# %% [markdown]
# **Worked example.** Four places use two numbers, $w = \begin{pmatrix} \theta_0 & \theta_1 \\ \theta_1 & \theta_0
# \end{pmatrix}$. If the four places have the slopes $\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$, then $\theta_0$ has
# $1 + 4 = 5$ and $\theta_1$ has $2 + 3 = 5$. Torch agrees:

# %%
shared = torch.zeros(2, requires_grad=True)
shared[torch.tensor([[0, 1], [1, 0]])].backward(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
print(shared.grad)

# %% [markdown]
# **Your turn: `tied_gradient`** (2 points, *optional, for the proud*). `groups` says which parameter each place uses.
# Some parameter may not be used at all.


# %% nbgrader={"grade": false, "grade_id": "tied_gradient", "solution": true}
def tied_gradient(dw, groups, count):
    """Gradient of parameters that are used in several places: the sum over the places.

    Args:
        dw: slope of each place, any shape, float; must not be changed.
        groups: which parameter each place uses, same shape, integers from 0 to count - 1.
        count: how many parameters there are, an integer.

    Returns:
        gradient: shape (count,), same dtype as dw; 0 for a parameter that no place uses.
    """
    ### BEGIN SOLUTION
    gradient = np.zeros(count, dw.dtype)
    np.add.at(gradient, groups, dw)
    return gradient
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: one loop</summary>
#
# Start with `count` zeros. Each place adds its slope to the parameter that it uses.
#
# <details><summary>Hint 2: a trap without a loop</summary>
#
# `gradient[groups] += dw` writes each entry once, however often it is used. `np.add.at` adds every time.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `gradient = np.zeros(count, dw.dtype)`, then `np.add.at(gradient, groups, dw)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_tied_gradient", "points": 2, "solution": false}
check("tied_gradient", tied_gradient)

# %% [markdown]
# ## 11 · Few units speak
#
# *5 minutes.* So far we have made *weights* small. One can do the same with what the units say.

# %% [markdown]
# ### Sparse representations
#
# Put an L1 penalty on the hidden values $h$ in place of the weights, averaged over the batch:
#
# $$L = L_{\text{data}} + \lambda \cdot \frac1N \sum_{i=1}^N \sum_{j=1}^H |h_{ij}| .$$
#
# L1 makes exact zeros, so each image is described by the few units that really concern it. A unit that must pay for
# speaking cannot learn the quirks of single images for nothing.

# %% [markdown]
# **Look.** 600 digits, 128 hidden units, with and without $\lambda = 0.01$. **Predict** how many units are silent for
# an image, and what becomes of the score.

# %%
codes = {}
for strength_of_code in (0.0, 0.01):
    talker = new_network()

    def price(network, batch, each=strength_of_code):
        """L1 penalty on the hidden values of the batch."""
        return each * network[1](network[0](batch)).sum(dim=1).mean()

    fit(talker, digits.x_train[:600], digits.y_train[:600], epochs=40, extra=price)
    with torch.no_grad():
        spoken = talker[1](talker[0](torch.as_tensor(digits.x_validation[:60], device=DEVICE)))
    codes[f"penalty {strength_of_code:g}"] = spoken.cpu().numpy()
    print(f"strength {strength_of_code:g}: {score(talker, digits.x_validation, digits.y_validation)[1]:.1f} % right")
plots.activity(codes)

# %% [markdown]
# More than eight of ten values become 0 and the score stays. Whole columns are white: those units are not needed at all
# and could be taken out.

# %% [markdown]
# ## 12 · Ask several
#
# *10 minutes.* Networks from different starts make different mistakes.

# %% [markdown]
# ### Ensembles
#
# Train $K$ models and average their probabilities. Suppose each makes an error $e_k$ of mean 0 and variance $v$, and
# every two have covariance $c$. The variance of the average is
#
# $$\operatorname{Var}\Bigl(\frac1K \sum_k e_k\Bigr) = \frac{1}{K^2}\bigl(K v + K(K-1)\, c\bigr) = \frac{v}{K} +
# \frac{K-1}{K}\, c .$$
#
# Models that err together ($c = v$) gain nothing; independent ones ($c = 0$) gain a factor $K$. So make them differ: by
# start, by layout, or by data. **Bagging** gives each model its own random draw, with repetition, from the examples.

# %% [markdown]
# **Probabilities, not scores and not votes.** Three models give the right class 0.9, 0.4 and 0.4, against one other.
# The votes are 1 to 2. The mean probability is 0.57: the sure one is heard. A vote forgets how sure a model is, and
# averaged scores let one model with huge numbers overrule all others.

# %% [markdown]
# **Your turn: `ensemble_predict`** (2 points). Scores of all models in, labels and mean probabilities out. Large scores
# must not overflow: think of lesson 02. You may use `softmax` from the setup cell: it takes care of that, along the
# last axis unless told otherwise. By hand is good practice.


# %% nbgrader={"grade": false, "grade_id": "ensemble_predict", "solution": true}
def ensemble_predict(logits):
    """The answer of an ensemble: the models' probabilities, averaged.

    Args:
        logits: scores of M models, shape (M, N, C), float; values up to 1000 in size; must not be changed.

    Returns:
        labels: the most probable class, shape (N,), integers; of equal classes the first.
        p: mean probabilities, shape (N, C), same dtype as logits.
    """
    ### BEGIN SOLUTION
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (powers / powers.sum(axis=-1, keepdims=True)).mean(axis=0)
    return p.argmax(axis=1), p
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: the order</summary>
#
# First a softmax for each model and example, along the classes. Then the mean over the models. Then the largest.
#
# <details><summary>Hint 2: no overflow</summary>
#
# Subtract the largest score along the last axis before the exponential, with `keepdims=True`.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `p = (powers / sums).mean(axis=0)` with sums along the last axis; the labels are `p.argmax(axis=1)`. Return both.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_ensemble_predict", "points": 2, "solution": false}
check("ensemble_predict", ensemble_predict)

# %% [markdown]
# **Look.** Ten networks with 64 hidden units, trained on 100 digits: all on the same hundred, or each on its own draw
# from them. **Predict** which kind is better alone, and which gains more together.

# %%
draw_rng, together, one_alone = np.random.default_rng(SEED), {}, {}
for name in ("own draw of examples", "same examples"):
    print("training ten networks:", name)
    answers = []
    for start in range(10):
        rows = draw_rng.integers(0, 100, 100) if name.startswith("own") else np.arange(100)
        member = new_network(hidden=64, seed=start)
        fit(member, digits.x_train[:100][rows], digits.y_train[:100][rows], seed=start)
        with torch.no_grad():
            answers.append(member(torch.as_tensor(digits.x_test, device=DEVICE)).softmax(dim=1).cpu())
    running = torch.stack(answers).cumsum(dim=0).argmax(dim=2).numpy()
    together[name] = (100 * (running == digits.y_test).mean(axis=1)).tolist()
    one_alone[name] = 100 * (torch.stack(answers).argmax(dim=2).numpy() == digits.y_test).mean()

# %%
for name, mean_alone in one_alone.items():
    print(f"{name}: alone {mean_alone:.1f} % (mean of the ten), together {together[name][-1]:.1f} %")
plots.models_together(together)

# %% [markdown]
# Bagged models are weaker alone, because each has seen only about 63 of the 100 images, but they disagree more:
# together they are four points better than the mean of the ten. Networks on the same examples gain 0.6 points. One
# image is a third of a point, so the wobbles of the curves, and those 0.6 points, are within noise. The price is the
# same in both cases: ten trainings, ten times the computing in use.

# %% [markdown]
# ## 13 · Dropout
#
# *20 minutes.* An ensemble of ten costs ten times as much. Dropout trains thousands of networks at once, for the price
# of one.

# %% [markdown]
# ### Dropout
#
# In every training step, silence each hidden unit with probability $p$, on its own, and anew for each example. What is
# left is a **thinned** network; with $H$ units there are $2^H$ of them, and all share their weights. A unit can no
# longer count on any other being there, so each must be useful by itself: no two units can agree on a trick that works
# for one training image only. At test time all units work together, and their sum is close to the average of all the
# thinned networks: an ensemble for the price of one. The step costs as much as before, but learning needs more steps.

# %%
plots.thinned_networks([[True, False, True, True, False], [False, True, True, False, True]])

# %% [markdown]
# ### Dropout now: inverted scaling
#
# With a mask $m_j$ that is 1 with probability $1 - p$, else 0:
#
# $$\text{training: } y_j = \frac{m_j}{1 - p}\, x_j, \qquad \text{evaluation: } y_j = x_j .$$
#
# The factor $1/(1-p)$ makes up for the silent ones: $E[y_j] = (1 - p) \cdot \frac{1}{1-p}\, x_j + p \cdot 0 = x_j$. The
# next layer meets sums of the usual size, and evaluation has nothing to do. In this course $p$ is the probability to
# **drop**.

# %% [markdown]
# **What is wrong here?** "$x = (2, 8, -3, 11, 5)$ with mask $m = (1, 0, 1, 0, 1)$ gives $x' = x \odot m = (2, -3, 5)$."
# <details><summary>Answer</summary>
#
# The product of two vectors of length 5 has length 5: $(2, 0, -3, 0, 5)$. Dropped entries become zero, the shape stays.
# The next layer has five columns of weights, and a vector of three would not fit. With $p = \tfrac12$ and today's
# scaling the result is $(4, 0, -6, 0, 10)$.
# </details>

# %% [markdown]
# **Worked example.** The same five numbers in Torch, many times. **Predict** the mean of each entry over 10,000 masks.

# %%
torch.manual_seed(SEED)
five = torch.tensor([2.0, 8.0, -3.0, 11.0, 5.0])
print("once:", functional.dropout(five, 0.5).tolist())
print("mean of 10,000:", functional.dropout(five.expand(10_000, 5), 0.5).mean(dim=0).numpy().round(1))
print("evaluation:", functional.dropout(five, 0.5, training=False).tolist())

# %% [markdown]
# **Your turn: `dropout_forward`** (3 points). Every entry of `x` gets a draw of its own from `rng`, not from a
# generator that you make. The cache of all dropout functions here is a tuple with one array: **the factor of every
# entry**. In training that is 0 or $1/(1-p)$, in evaluation 1. Your mask is judged by its statistics.


# %% nbgrader={"grade": false, "grade_id": "dropout_forward", "solution": true}
def dropout_forward(x, p=0.5, train=True, rng=None):
    """Inverted dropout.

    Args:
        x: values, any shape, float; must not be changed.
        p: the probability to drop an entry, at least 0 and below 1.
        train: True drops and scales; False returns the values of x.
        rng: a NumPy random generator; needed in training only.

    Returns:
        out: same shape and dtype as x.
        cache: (factor,), the factor of every entry, same shape and dtype as x.
    """
    ### BEGIN SOLUTION
    if not train:
        return x.copy(), (np.ones_like(x),)
    factor = ((rng.random(x.shape) >= p) / (1 - p)).astype(x.dtype)
    return x * factor, (factor,)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a mask</summary>
#
# `rng.random(x.shape)` gives numbers from 0 to 1. Which share of them is below p? Those are to be dropped.
#
# <details><summary>Hint 2: the factor</summary>
#
# The mask divided by `1 - p` is 0 or $1/(1-p)$. A mask of True and False becomes float64 by that: `.astype(x.dtype)`
# keeps float32.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# In training: keep where `rng.random(x.shape) >= p`, divide by `1 - p`, multiply x by it. In evaluation the factor is
# `np.ones_like(x)`. Return the product and `(factor,)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_dropout_forward", "points": 3, "solution": false}
check("dropout_forward", dropout_forward)

# %% [markdown]
# **Look.** A thousand ones go through your function, with three probabilities. **Predict** the kept share, the value of
# what is kept, and the mean.

# %%
if ready(dropout_forward=dropout_forward):
    for drop in (0.1, 0.5, 0.9):
        thousand, _ = dropout_forward(np.ones(1000), drop, True, np.random.default_rng(SEED))
        print(f"p = {drop}: kept {(thousand > 0).mean():.3f}, largest {thousand.max():.3f}, mean {thousand.mean():.3f}")

# %% [markdown]
# ### The way back
#
# Each output is its input times a number that does not depend on $x$, so
#
# $$\frac{\partial L}{\partial x_j} = \frac{\partial L}{\partial y_j} \cdot \text{factor}_j .$$
#
# The factor must be that of the *same* forward pass: a unit that was silent gets no gradient. A new mask on the way
# back would blame the wrong units.

# %% [markdown]
# **Your turn: `dropout_backward`** (2 points). The check calls *your* forward pass first, sometimes twice, and hands
# you the cache of one of them. It is also the first check that looks into the cache: if it misses the scale, or finds
# None or a cache that cannot be unpacked, look at what `dropout_forward` returns, in training *and* in evaluation.


# %% nbgrader={"grade": false, "grade_id": "dropout_backward", "solution": true}
def dropout_backward(dout, cache):
    """Gradient of dropout_forward, and of dropout_classic.

    Args:
        dout: gradient of the loss by the output, any shape, float; must not be changed.
        cache: (factor,), as the forward pass returned it; must not be changed.

    Returns:
        dx: gradient of the loss by x, same shape and dtype as dout.
    """
    ### BEGIN SOLUTION
    (factor,) = cache
    return dout * factor
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: one product</summary>
#
# No new draw, no p: all that matters is in the cache.
#
# <details><summary>Hint 2: the scaling is inside</summary>
#
# The factor already contains $1/(1-p)$. Dividing once more scales twice.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `(factor,) = cache`, then `dout` times it, as a new array.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_dropout_backward", "points": 2, "solution": false}
check("dropout_backward", dropout_backward)

# %% [markdown]
# **Look.** A network learns real digits in your browser. **Predict** what dropout of 0.5 does to the validation loss:
# is it the same at a small learning rate and at a large one? Then reach the four goals.

# %%
Playground()

# %% [markdown]
# ## 14 · Dropout then
#
# *5 minutes, and 10 more for the optional exercise.* The first papers did it the other way round.

# %% [markdown]
# ### Dropout then: classic scaling
#
# $$\text{training: } y_j = m_j\, x_j, \qquad \text{evaluation: } y_j = (1 - p)\, x_j .$$
#
# Training only drops; at test time, with all units present, everything is scaled down to the mean of training. In that
# version whoever uses the network must know $p$; in today's version the trained network is an ordinary one. Beware of
# letters, too: the first papers call $p$ the probability to *keep*, and write $p\,x$ for the evaluation.

# %% [markdown]
# **Worked example.** $x = (2, 8, -3, 11, 5)$, $p = 0.2$: evaluation gives $0.8\,x = (1.6, 6.4, -2.4, 8.8, 4)$. The two
# versions differ by the same factor $1 - p$ in training and in evaluation, so they learn the same functions. **Mixing**
# them is the bug: scaling in both places, or in none.
#
# **Your turn: `dropout_classic`** (2 points, *optional, for the proud*). Same arguments, same kind of cache.


# %% nbgrader={"grade": false, "grade_id": "dropout_classic", "solution": true}
def dropout_classic(x, p=0.5, train=True, rng=None):
    """Dropout as first published: drop in training, scale in evaluation.

    Args:
        x: values, any shape, float; must not be changed.
        p: the probability to drop an entry, at least 0 and below 1.
        train: True drops; False scales.
        rng: a NumPy random generator; needed in training only.

    Returns:
        out: same shape and dtype as x.
        cache: (factor,), the factor of every entry, same shape and dtype as x.
    """
    ### BEGIN SOLUTION
    factor = (rng.random(x.shape) >= p).astype(x.dtype) if train else np.full_like(x, 1 - p)
    return x * factor, (factor,)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two factors</summary>
#
# In training each entry has 0 or 1. In evaluation all have the same number.
#
# <details><summary>Hint 2: which number?</summary>
#
# The share that was kept on average in training: $1 - p$.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# As in `dropout_forward`, without the division, and with `np.full_like(x, 1 - p)` for the evaluation.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_dropout_classic", "points": 2, "solution": false}
check("dropout_classic", dropout_classic)

# %% [markdown]
# **Look.** Both versions, mask by mask. **Predict** what the next layer meets when classic dropout with $p = \tfrac12$
# forgets to scale in evaluation: sums half as large as in training, the same, or twice as large? Then reach the two
# goals.

# %%
DropoutSlider()

# %% [markdown]
# ## 15 · Why does any of this work?
#
# *20 minutes.* Read slowly; nothing to write. A network with 19,000 weights and 300 examples could do anything between
# the examples. Why does it usually do something sensible?

# %% [markdown]
# ### The random-label experiment
#
# Take the training images, throw away their labels, and draw new ones with a ten-sided die. There is nothing to learn.
# **Predict** the training score and the test score of the same network, with true labels and with random ones.

# %%
die = np.random.default_rng(SEED).integers(0, 10, 300)
label_runs = {}
for name, wanted in (("true labels", digits.y_train[:300]), ("random labels", die)):
    learner_of_labels = new_network(hidden=256)

    def both_scores(network, given=wanted):
        """Percentage right on the training images with the labels given, and on the test images."""
        return score(network, digits.x_train[:300], given)[1], score(network, digits.x_test, digits.y_test)[1]

    history = fit(learner_of_labels, digits.x_train[:300], wanted, epochs=100, watch=both_scores)
    label_runs[name] = tuple(zip(*history, strict=True))
    print(f"{name}: training {history[-1][0]:.1f} %, test {history[-1][1]:.1f} %")
plots.label_race(label_runs)

# %% [markdown]
# Same network, same images, all 300 training answers right, with losses of 0.001 and 0.066: one reads new digits, the
# other guesses. So neither the size of a network nor its training score says whether it will generalise. It *can* learn
# by heart. With true labels it only need not: that is quicker, as the picture shows.

# %% [markdown]
# ### Good minima despite non-convexity
#
# The loss of a network is not convex: on the straight line $(1 - s)\,\theta_1 + s\,\theta_2$ between two trained
# networks it rises and falls again. One might fear that descent gets stuck. It does not: every start reaches a loss of
# nearly 0. The riddle is another one. There are *many* weights with training loss 0, and some of them are terrible on
# new images. **Predict** how bad one can be that reads all 100 training images right.

# %%
one_end, other_end = new_network(seed=1), new_network(seed=2)
for end, start in ((one_end, 1), (other_end, 2)):
    fit(end, digits.x_train[:300], digits.y_train[:300], seed=start)
between = new_network()
for share in (0.0, 0.25, 0.5, 0.75, 1.0):
    both_ends = (torch.nn.utils.parameters_to_vector(end.parameters()).detach() for end in (one_end, other_end))
    torch.nn.utils.vector_to_parameters(torch.lerp(*both_ends, share), between.parameters())
    print(f"{share:.2f} of the way: loss {score(between, digits.x_train[:300], digits.y_train[:300])[0]:.4f}")

# %%
poison = np.concatenate([digits.y_train[:100], np.random.default_rng(SEED).integers(0, 10, 600)])
honest, poisoned = new_network(hidden=512), new_network(hidden=512)
fit(honest, digits.x_train[:100], digits.y_train[:100])
print("training with 600 randomly labelled images beside the 100 ...")
fit(poisoned, digits.x_train[:700], poison, epochs=120)
for name, who in (("only the hundred", honest), ("and 600 random ones", poisoned)):
    seen, unseen = score(who, digits.x_train[:100], digits.y_train[:100]), score(who, digits.x_test, digits.y_test)
    print(f"{name}: the hundred {seen[1]:.1f} %, test {unseen[1]:.1f} %")

# %% [markdown]
# Both networks read the same hundred images without a mistake, with losses of 0.003 and 0.017. The second was led to
# its minimum by 600 random labels, of which 75 happen to be right. So bad minima exist, and ordinary training does not
# find them. Why not? There are two hypotheses, and both have something to say.

# %% [markdown]
# ### Hypothesis 1: the architecture is biased
#
# Perhaps most weights give *simple* functions, so that whatever fits is simple (Valle-Pérez and others, 2019). One can
# ask random networks, without any training: three inputs of plus or minus 1, eight possible inputs, so $2^8 = 256$
# functions from inputs to yes or no. **Predict** the share of the most frequent function if all were equally likely,
# and in reality.

# %%
cube = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, 8)
nets_rng = np.random.default_rng(SEED)
first_layers = nets_rng.normal(size=(20_000, 16, 3)) @ cube + nets_rng.normal(size=(20_000, 16, 1))
last_layers = nets_rng.normal(size=(20_000, 1, 16)) @ np.maximum(first_layers, 0)
verdicts = last_layers[:, 0] + nets_rng.normal(size=(20_000, 1)) > 0
names_of_functions, how_often = np.unique(verdicts @ 2 ** np.arange(8), return_counts=True)
plots.frequent_functions(how_often, 20_000, 256)

# %%
often_first = np.argsort(how_often)[::-1][:4]
print("inputs:", " ".join("".join("+" if value > 0 else "-" for value in corner) for corner in cube.T))
for place in often_first:
    answers_on_cube = "".join("yes " if names_of_functions[place] >> bit & 1 else "no  " for bit in range(8))
    print(f"{100 * how_often[place] / 20_000:4.1f} %: {answers_on_cube}")

# %% [markdown]
# "Always yes" and "always no" come first, then answers that follow a single input; the complicated functions share
# what is left. A network is not a neutral
# table: its form prefers some functions before it has seen a single example. Convolutions (lesson 06) build in more:
# that neighbours belong together.

# %% [markdown]
# ### Hypothesis 2: descent is biased
#
# Perhaps the *way* matters: among all minima, (stochastic) gradient descent finds special ones. For a linear model one
# can prove it. With one example $x$ and squared error, every step is a multiple of $x$. Whoever starts at 0 therefore
# ends at a multiple of $x$, and that is the **shortest** of all weights with loss 0: an L2 penalty that nobody wrote.

# %%
single, target_value, walk = np.array([2.0, 1.0]), 3.0, [np.zeros(2)]
for _ in range(30):
    walk.append(walk[-1] - 0.04 * 2 * (walk[-1] @ single - target_value) * single)
plots.least_norm(np.array(walk), single, target_value)

# %% [markdown]
# For deep networks there is no such proof. Small batches add noise that shakes the weights out of narrow minima
# (lesson 04), and to first order SGD behaves as if steep gradients cost extra (Smith and others, 2021). Both hypotheses
# are research, not settled. What you can do meanwhile is measure, on examples that training has not seen.

# %% [markdown]
# ## 16 · Exam corner
#
# *15 minutes, pen and paper; a calculator helps.* Six questions, one point each. The numbers are yours: another learner
# gets others. In a class, set `LEARNER` in the setup cell to the id that your instructor gave you, and run that cell
# again.

# %%
exam_sheet("05_regularisation", learner=LEARNER)

# %% [markdown]
# **Your turn:** in each cell below, replace `None` by your number; the lines under it then do nothing. Run the cell,
# and the check after it.

# %% nbgrader={"grade": false, "grade_id": "exam_l2_step", "solution": true}
### BEGIN SOLUTION exam_l2_step = None  # replace None by your number
asked = exam_numbers("exam_l2_step", learner=LEARNER)
exam_l2_step = round(asked["w"] - asked["lr"] * (asked["g"] + asked["strength"] * asked["w"]), 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_l2_step", "points": 1, "solution": false}
check("exam_l2_step", exam_l2_step, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_dropout_step", "solution": true}
### BEGIN SOLUTION exam_dropout_step = None  # replace None by your number
asked = exam_numbers("exam_dropout_step", learner=LEARNER)
kept_sum = sum(asked[f"w{i}"] * asked[f"x{i}"] for i in (1, 2, 3) if i != asked["dropped"])
exam_dropout_step = round(kept_sum / (1 - asked["p"]), 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_dropout_step", "points": 1, "solution": false}
check("exam_dropout_step", exam_dropout_step, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_early_stop", "solution": true}
### BEGIN SOLUTION exam_early_stop = None  # replace None by your number
asked = exam_numbers("exam_early_stop", learner=LEARNER)
last_epoch, kept_epoch = early_stopping(np.array([asked[f"l{i}"] for i in range(9)]), asked["patience"])
exam_early_stop = round(last_epoch + asked[f"l{kept_epoch}"], 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_early_stop", "points": 1, "solution": false}
check("exam_early_stop", exam_early_stop, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_smoothed_label", "solution": true}
### BEGIN SOLUTION exam_smoothed_label = None  # replace None by your number
asked = exam_numbers("exam_smoothed_label", learner=LEARNER)
exam_smoothed_label = round(1 - asked["eps"] + asked["eps"] / asked["classes"], 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_smoothed_label", "points": 1, "solution": false}
check("exam_smoothed_label", exam_smoothed_label, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_ensemble_variance", "solution": true}
### BEGIN SOLUTION exam_ensemble_variance = None  # replace None by your number
asked = exam_numbers("exam_ensemble_variance", learner=LEARNER)
shared_part = (asked["models"] - 1) / asked["models"] * asked["covariance"]
exam_ensemble_variance = round(asked["variance"] / asked["models"] + shared_part, 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_ensemble_variance", "points": 1, "solution": false}
check("exam_ensemble_variance", exam_ensemble_variance, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_tied_weights", "solution": true}
### BEGIN SOLUTION exam_tied_weights = None  # replace None by your number
asked = exam_numbers("exam_tied_weights", learner=LEARNER)
exam_tied_weights = asked["inputs"] * asked["hidden"] + asked["hidden"] + asked["inputs"]
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_tied_weights", "points": 1, "solution": false}
check("exam_tied_weights", exam_tied_weights, learner=LEARNER)

# %% [markdown]
# ## 17 · Lab: close the gap
#
# *25 minutes.* Back to the 300 framed digits of section 1. The network has 144 inputs, 128 ReLU units and 10 outputs;
# 150 epochs of batches of 25 with rate 0.3. **Target:** at least 80 % of the test images right, and a gap of at most 15
# points between training and test score.

# %% [markdown]
# First your way: earlier lessons' layers, with *your* dropout between them and *your* L2 penalty in the loss. Then
# Torch's way. Both get the same changed images, in the same order, from the same first weights.


# %%
def my_step(pairs, images, wanted, drop, strength, rng):
    """Loss with penalty, and gradients, by your functions and the layers of lessons 01 to 03."""
    (w1, b1), (w2, b2) = pairs
    first, first_cache = affine_forward(images, w1, b1)
    hidden, relu_cache = relu_forward(first)
    thinned, drop_cache = dropout_forward(hidden, drop, True, rng)
    scores, last_cache = affine_forward(thinned, w2, b2)
    loss = cross_entropy(scores, wanted) + l2_penalty(w1, strength) + l2_penalty(w2, strength)
    delta, dw2, db2 = affine_backward((softmax(scores) - one_hot(wanted, 10)) / len(wanted), last_cache)
    delta = relu_backward(dropout_backward(delta, drop_cache), relu_cache)
    _, dw1, db1 = affine_backward(delta, first_cache)
    return float(loss), [(dw1 + strength * w1, db1), (dw2 + strength * w2, db2)]


# %%
def torch_step(pairs, images, wanted, drop, strength, rng):
    """The same by Torch's autograd; its dropout draws from Torch's own generator."""
    (w1, b1), (w2, b2) = leaves = [[torch.tensor(item, requires_grad=True) for item in pair] for pair in pairs]
    hidden = functional.dropout(torch.relu(torch.tensor(images) @ w1.T + b1), drop)
    loss = functional.cross_entropy(hidden @ w2.T + b2, torch.tensor(wanted))
    loss = loss + strength / 2 * (w1.square().sum() + w2.square().sum())
    loss.backward()
    return float(loss.detach()), [(w.grad.numpy(), b.grad.numpy()) for w, b in leaves]


# %%
def look_at(pairs, images, wanted):
    """Cross-entropy and percentage right in evaluation, by Torch."""
    (w1, b1), (w2, b2) = [[torch.tensor(item) for item in pair] for pair in pairs]
    return score(lambda part: torch.relu(part.cpu() @ w1.T + b1) @ w2.T + b2, images, wanted)


def first_pairs(seed):
    """Kaiming's weights for the two layers, by Torch."""
    made, pairs = torch.Generator().manual_seed(seed), []
    for shape in ((128, 144), (10, 128)):
        drawn = torch.nn.init.kaiming_uniform_(torch.empty(shape).double(), nonlinearity="relu", generator=made)
        pairs.append((drawn.numpy(), np.zeros(shape[0])))
    return pairs


# %%
def lab_run(step, shift=0, flip=False, noise=0.0, drop=0.0, strength=0.0, labels=few_labels, seed=SEED):
    """150 epochs: the weights after each, loss of its batches, and (loss, %) in training and in validation."""
    torch.manual_seed(seed)
    rng, masks, pairs = np.random.default_rng(seed), np.random.default_rng(seed), first_pairs(seed)
    told = {"pairs": [], "batches": [], "training": [], "validation": []}
    for _ in range(150):
        spent = []
        for rows in np.split(rng.permutation(300), range(25, 300, 25)):
            moves, mirrored = rng.integers(-shift, shift + 1, (25, 2)), rng.random(25) < 0.5 * flip
            images = torch_augment(few_x[rows], moves, mirrored) + noise * rng.normal(size=(25, 144))
            loss, gradients = step(pairs, images, labels[rows], drop, strength, masks)
            pairs = [(w - 0.3 * dw, b - 0.3 * db) for (w, b), (dw, db) in zip(pairs, gradients, strict=True)]
            spent.append(loss)
        told["pairs"].append(pairs)
        told["batches"].append(float(np.mean(spent)))
        told["training"].append(look_at(pairs, few_x, labels))
        told["validation"].append(look_at(pairs, validation_x, digits.y_validation))
    return told


# %% [markdown]
# **Before:** no measure at all. Note the gap.

# %%
before = lab_run(torch_step)
print(f"before: training {before['training'][-1][1]:.1f} %, validation {before['validation'][-1][1]:.1f} %")

# %% [markdown]
# **Your turn:** the settings below are bad ones, in more than one way; the patience is one of them. Run down to the
# validation score, and say what is wrong before you change anything: does the network underfit or overfit? Then change
# *one* thing, run again, and go on. `USE_MINE = True` trains with your functions if they pass their checks; if not,
# Torch works alone.
#
# | Setting | What it does | Try |
# |---|---|---|
# | `shift` | moves each image by up to so many pixels | 0 to 4 |
# | `flip` | mirrors half of the images | False, True |
# | `noise` | deviation of the noise on each pixel | 0 to 0.5 |
# | `drop` | probability to drop a hidden unit | 0 to 0.9 |
# | `strength` | strength of the L2 penalty | 0 to 0.1 |
# | `PATIENCE` | epochs to wait for a better validation loss | 1 to 150 |

# %%
USE_MINE = True

# %% nbgrader={"grade": false, "grade_id": "lab_settings", "solution": true}
### BEGIN SOLUTION MEASURES, PATIENCE = dict(shift=0, flip=True, noise=0.0, drop=0.8, strength=0.1), 1  # change me
MEASURES, PATIENCE = dict(shift=2, flip=False, noise=0.0, drop=0.1, strength=0.0001), 30
### END SOLUTION

# %%
print("Torch trains ...")
by_torch = lab_run(torch_step, **MEASURES)
after, by_mine = by_torch, None
if USE_MINE and ready(dropout_forward=dropout_forward, dropout_backward=dropout_backward, l2_penalty=l2_penalty):
    print("NumPy trains with your dropout and your penalty ...")
    after = by_mine = lab_run(my_step, **MEASURES)

# %%
plots.lab_curves(by_mine and by_mine["batches"], by_torch["batches"], "cross-entropy and penalty, per batch")

# %% [markdown]
# Without dropout the two curves lie on each other, up to rounding. With dropout they run side by side: Torch draws
# other masks than you, but just as many.

# %%
validation_curve = np.array([loss for loss, _ in after["validation"]])
stop_epoch, kept_epoch = len(validation_curve) - 1, int(validation_curve.argmin())
if USE_MINE and ready(early_stopping=early_stopping):
    stop_epoch, kept_epoch = early_stopping(validation_curve, PATIENCE)
print(f"weights of epoch {kept_epoch} kept; training would have stopped after epoch {stop_epoch}")
print(f"training {after['training'][kept_epoch][1]:.1f} %, validation {after['validation'][kept_epoch][1]:.1f} %")

# %%
plots.gaps(
    {
        name: tuple([loss for loss, _ in run[part]] for part in ("training", "validation"))
        for name, run in (("before", before), ("after", after))
    },
    {"before": 149, "after": kept_epoch},
)

# %% [markdown]
# **Choose with the validation score**, and with nothing else. One image is a third of a point here, so 85.0 against
# 85.7 is noise; a second seed (`lab_run(torch_step, **MEASURES, seed=2)`) tells you how much. Satisfied? Only then set
# `OPEN_TEST = True` and run the rest, once.

# %% nbgrader={"grade": false, "grade_id": "lab_test", "solution": true}
### BEGIN SOLUTION OPEN_TEST = False  # True at the very end
OPEN_TEST = True
### END SOLUTION

# %%
if OPEN_TEST:
    for name, pairs_kept in (("before", before["pairs"][-1]), ("after", after["pairs"][kept_epoch])):
        on_training, on_test = look_at(pairs_kept, few_x, few_labels)[1], look_at(pairs_kept, test_x, digits.y_test)[1]
        print(f"{name}: training {on_training:.1f} %, test {on_test:.1f} %, gap {on_training - on_test:.1f} points")
    print("Target reached." if on_test >= 80 and on_training - on_test <= 15 else "Note it down as it is.")

# %% [markdown]
# ### Which measure mattered?
#
# One measure at a time, against none; "both" is moved by up to 2 and mirrored. **Predict** the order before you run it.

# %%
one_by_one = {"none": before["validation"][-1][1]}
for name, alone in (("L2 0.01", {"strength": 0.01}), ("dropout 0.5", {"drop": 0.5}), ("noise 0.3", {"noise": 0.3}),
                    ("mirrored", {"flip": True}), ("moved", {"shift": 2}),
                    ("both", {"shift": 2, "flip": True})):  # fmt: skip
    print("training with", name, "...")
    one_by_one[name] = lab_run(torch_step, **alone)["validation"][-1][1]
plots.bars(
    one_by_one,
    "One measure at a time, 150 epochs",
    ("measure", "validation images right (%)"),
    "Bars of the validation score: " + ", ".join(f"{name} {value:.0f} %" for name, value in one_by_one.items()) + ".",
    "{:.0f}",
)

# %% [markdown]
# A penalty says "be simple", whatever the task. Moving the images says what *this* task is about: that the place does
# not matter. The measure that knows most about the world wins by far. Mirroring alone even helps a little, for a
# mirrored image has changed its place, too; on top of moving it only hurts.

# %% [markdown]
# ### Random labels once more
#
# Does your choice of measures also keep the network from learning *random* labels by heart? **Predict** the training
# score with a die's labels, first without measures, then with yours.

# %%
die_labels = np.random.default_rng(SEED).integers(0, 10, 300)
for name, chosen in (("without measures", {}), ("with your measures", MEASURES)):
    rolled = lab_run(torch_step, labels=die_labels, **chosen)
    on_test = look_at(rolled["pairs"][-1], test_x, digits.y_test)[1]
    print(f"random labels {name}: training {rolled['training'][-1][1]:.1f} %, test {on_test:.1f} %")

# %% [markdown]
# The test score is that of guessing either way: nothing can be learnt. But a good measure makes learning by heart hard
# and leaves real learning easy. A gap that is small on true labels because *nothing* can be fitted would be
# underfitting; look at both scores.

# %% [markdown]
# ## 18 · Open question
#
# *10 minutes, 3 points, read by a person.* **Your turn:** a friend trains a large network on 300 images; its training
# loss is 0, and she concludes that it has understood the task. In eight to twelve sentences of your own: what would you
# tell her, what would you do about the gap, and how would you find out whether it helped?
#
# **One point each:** (1) what the random-label experiment shows; (2) one measure of this lesson, with its mechanism and
# its effect on the gap; (3) how to find out whether it helps, with validation and test examples.

# %% [markdown] nbgrader={"grade": true, "grade_id": "open_question_regularisation", "points": 3, "solution": true}
# A training loss of 0 says that the network can repeat 300 answers. With labels from a die it gets there as well, and
# then reads one new image in ten: so its size does not keep it from learning by heart, and the training loss cannot
# tell understanding from memory.
#
# I would move each image by a few pixels at random in every batch. The labels stay right, so the network sees many more
# examples and cannot learn single pixels by heart; it has to find what stays the same when a digit moves. The training
# score falls a little, the score on new images rises a lot, and the gap becomes small. Dropout would be another
# measure: units cannot rely on each other, and many thinned networks that share weights are averaged.
#
# Whether it helps is seen on validation images, which neither training nor augmentation has touched, with and without
# the measure and from more than one start, because single scores are noisy. All choices are made there. The test images
# are opened once, at the very end; whoever chooses with them measures too well.

# %% [markdown]
# ## Summary
#
# 1. Look at both losses. Bad in training: underfitting, give more freedom. Good in training and bad in validation:
#    overfitting, regularise.
# 2. L2 shrinks every weight by a share, L1 takes a constant amount and makes zeros. Normalise first, with numbers from
#    the training part.
# 3. Dropout zeroes entries and keeps the shape: $m/(1-p)$ in training, nothing in evaluation; the way back uses the
#    same factor. Stop early, and keep the best weights.
# 4. More data beats everything: augment with changes that keep the label, use unlabelled images, share between tasks
#    and places, average several models.
# 5. Networks can learn random labels by heart. So only examples that training has not seen count: choose on validation,
#    open the test once.

# %% [markdown]
# **Conventions used.** `l2_penalty` has a factor one half. The slope of L1 is 0 at 0. Epochs count from 0; equal is not
# better, NaN is never better. Images are (N, C, H, W), mirrored first and then moved. Label smoothing spreads `eps`
# over all classes. Exactly at the threshold is sure; of equal classes the first counts. A task without known targets
# adds 0. Ensembles average probabilities. Dropout's `p` is the probability to drop; the cache is `(factor,)`. float32
# in, float32 out. Inputs are never changed.

# %% [markdown]
# **Further reading.** Hansen and Salamon, *Neural network ensembles* (1990). Nowlan and Hinton, *Simplifying neural
# networks by soft weight-sharing* (1992). Bishop, *Training with noise is equivalent to Tikhonov regularization*
# (1995). Tibshirani, *Regression shrinkage and selection via the lasso* (1996). Caruana, *Multitask learning* (1997).
# Prechelt, *Early stopping, but when?* (1998). Lee, *Pseudo-label* (2013). Srivastava and others, *Dropout* (2014).

# %% [markdown]
# Szegedy and others, *Rethinking the Inception architecture* (2016), for label smoothing. Zhang and others,
# *Understanding deep learning requires rethinking generalization* (2017). Zhang and others, *mixup* (2018).
# Valle-Pérez, Camargo and Louis, *Deep learning generalizes because the parameter-function map is biased towards simple
# functions* (2019). Smith and others, *On the origin of implicit regularization in stochastic gradient descent* (2021).

# %% [markdown]
# **Next:** lesson 06 builds into the network what the lab taught it with moved images: the place does not matter.
