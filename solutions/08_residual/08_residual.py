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
# # Lesson 08 · Residual networks
#
# After this lesson you can
#
# - **show** that a deeper network can be worse on its own training images, and say why that is no overfitting;
# - **write** residual connections forwards and backwards, shortcuts and blocks, and a small ResNet in Torch;
# - **measure** how much gradient reaches each layer, and mend a network in which too little or too much does;
# - **count** all 11,689,512 parameters of ResNet-18;
# - **read** a map of architectures by accuracy, parameters and operations.

# %% [markdown]
# **Time:** about 3 hours and 15 minutes, in three sittings, and 35 minutes more with the exercises marked *optional,
# for the proud*. Every section says how long it takes. Good places to stop: after sections 5 and 9. Next time, select
# the cell where you stopped and choose *Run All Above*: your answers are kept.
#
# **Builds on:** lessons 01 to 04 for layers and training, lesson 06 for convolutions, lesson 07 for batch
# normalisation. You need their vocabulary, not your answers.

# %% [markdown]
# **How it works.** As before: a section explains, shows an example, and says **Your turn**. Write your code where the
# cell says `YOUR CODE HERE`, run it, and run the check below it. Stuck? Open one hint, not three.

# %% [markdown]
# **Your turn:** run the next cell. It prepares the lesson; there is nothing to write.

# %%
import time
from functools import partial

import numpy as np
import torch
import torch.nn.functional as functional
from IPython.display import display

from course_lib import check, exam_numbers, exam_sheet, ready
from course_lib.data import load_digits
from course_lib.gradcheck import check_backward
from course_lib.numpy_kernels import (
    affine_backward,
    affine_forward,
    batchnorm2d_forward,
    conv2d_forward,
    conv_output_size,
    relu_backward,
    relu_forward,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)
from course_lib.plots import residual as plots
from course_lib.widgets.architectures import ARCHITECTURES
from course_lib.widgets.residual import ArchitectureMap, BlockRemoval, BranchScale, DepthNorms

LEARNER = "self-study"
SEED = 1
torch.set_num_threads(1)  # networks this small only lose time when threads wait for each other
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
digits = load_digits()
train_images, train_labels = torch.tensor(digits.x_train), torch.tensor(digits.y_train)
check_images, check_labels = torch.tensor(digits.x_validation), torch.tensor(digits.y_validation)
print("The lab's last cell will use", "the graphics card." if DEVICE == "cuda" else "the processor, as all others do.")

# %% [markdown]
# ## 1 · Deeper and worse
#
# *10 minutes.* AlexNet had 8 layers with weights, VGG 16 to 19. More layers, better answers: why not 50, or 150? We try
# it with digits. The network has as many hidden layers as we like, of 64 ReLU units each, with Kaiming's first weights.
# Read the three functions once; `skip` is for section 2.


# %%
class Deep(torch.nn.Module):
    """Scores of ten digits from `depth` hidden layers of 64 ReLU units; `spread` multiplies Kaiming's weights."""

    def __init__(self, depth, skip=False, spread=1.0, seed=SEED):
        super().__init__()
        torch.manual_seed(seed)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(64, 64) for _ in range(depth))
        self.end, self.skip = torch.nn.Linear(64, 10), skip
        for layer in self.layers:
            torch.nn.init.normal_(layer.weight, 0, spread * (2 / 64) ** 0.5)
            torch.nn.init.zeros_(layer.bias)
        self.double()

    def forward(self, values):
        """Scores of the classes."""
        for layer in self.layers:
            answer = torch.relu(layer(values))
            values = values + answer if self.skip else answer
        return self.end(values)


# %%
def fit(model, rate, epochs=10, seed=SEED):
    """Plain SGD with a rate that falls to 0 on a straight line; the loss on all training images after each epoch."""
    optimiser, order = torch.optim.SGD(model.parameters(), lr=rate), torch.Generator().manual_seed(seed)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, 38 * epochs)
    told = []
    for _ in range(epochs):
        for rows in torch.randperm(len(train_images), generator=order).split(32):
            optimiser.zero_grad()
            functional.cross_entropy(model(train_images[rows]), train_labels[rows]).backward()
            optimiser.step()
            falling.step()
        with torch.no_grad():
            told.append(float(functional.cross_entropy(model(train_images), train_labels)))
    return told


# %%
@torch.no_grad()
def right(model, images=check_images, labels=check_labels):
    """Percentage of images that the network reads right, the validation images by default."""
    return 100 * float((model(images).argmax(dim=1) == labels).double().mean())


# %% [markdown]
# **Predict:** with the rate 0.3 the network of 4 layers reads 97 % of the validation images after ten epochs. What will
# 20 layers reach? And 40? (The cell takes about 10 seconds.)

# %%
learning = {}
for depth_tried in (4, 20, 40):
    trained = Deep(depth_tried)
    learning[f"{depth_tried} layers"] = fit(trained, 0.3)
    print(f"{depth_tried} layers: {right(trained):.1f} % of the validation images right")
learning = {name: told for name, told in learning.items() if np.isfinite(told).all()}
plots.losses(learning, "The same rate, plain networks")

# %% [markdown]
# The network of 40 layers may be missing in the picture: its loss is no number any more. Perhaps a rate of 0.3 is only
# too large for it? A fair comparison lets each network choose the best of three rates. This takes about 20 seconds.


# %%
def best_losses(skip, spread):
    """For 4, 10, 20 and 40 layers: the lowest loss at the end, over three rates."""
    lowest = []
    for depth in (4, 10, 20, 40):
        ends = [fit(Deep(depth, skip, spread), rate)[-1] for rate in (0.03, 0.1, 0.3)]
        lowest.append(min(end for end in ends if np.isfinite(end)))
        print(f"{depth} layers: {lowest[-1]:.3f}")
    return lowest


plain_ends = best_losses(skip=False, spread=1.0)
plots.by_depth({"plain": plain_ends}, (4, 10, 20, 40))

# %% [markdown]
# ### Going deeper and failing
#
# This is the *training* loss. Overfitting would mean a low training loss and a high one on new images; here the deep
# network is worse on the very images it has seen ten times each. And it need not be. Take the trained network with 4
# layers and put 16 more behind it that do nothing, $h_{k+1} = h_k$. (After a ReLU all values are at least 0, so the
# unit matrix as weights does exactly that.) Twenty layers, the same loss. So a good solution *exists*; gradient descent
# does not find it. He, Zhang, Ren and Sun (2016) saw the same on photographs, with batch normalisation, and called it
# **degradation**.

# %% [markdown]
# **Question:** what should one change so that "do nothing" becomes the easiest thing a layer can do?
# <details><summary>Answer</summary>
#
# Let it *start* from its input: the layer computes only what is to be added. Then doing nothing means adding 0, and
# small weights come close to that.
# </details>

# %% [markdown]
# ## 2 · A way past
#
# *15 minutes.* One plus sign, and branches that start quietly.

# %%
plots.block()

# %% [markdown]
# ### The residual connection
#
# $$y = x + F(x) .$$
#
# $F$ is the **branch**: one layer, or two, or five. What goes past it is the **skip**, or shortcut. If the best answer
# is $y^*$, the branch only has to learn the *rest*, $y^* - x$; in Latin, the residual. Shapes must agree: the branch
# has to give back what fits to $x$. No parameter is added and next to no work.

# %% [markdown]
# **Worked example.** $x = (1, -2)$ and a branch that answers $F(x) = (0.5, 0.5)$: $y = (1.5, -1.5)$. With a silent
# branch, $F(x) = 0$, the block passes on $x$ untouched, negative numbers included.

# %%
silent_layer = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
torch.nn.init.zeros_(silent_layer[0].weight)
torch.nn.init.zeros_(silent_layer[0].bias)
some_values = torch.tensor([[1.0, -2.0]])
print("a silent plain layer:", silent_layer(some_values).tolist())
print("with the skip:", (some_values + silent_layer(some_values)).tolist())

# %% [markdown]
# **Your turn: `residual_forward`** (2 points). The branch is a *function* that somebody hands you; you do not know what
# is in it. It returns its answer and its own cache: `f, inner = branch(x)`. Call it once: some branches draw random
# numbers, and a second call would answer something else. Leave `x` and `f` as they are; nothing comes after the sum.


# %% nbgrader={"grade": false, "grade_id": "residual_forward", "solution": true}
def residual_forward(x, branch):
    """A branch, and the input added to its answer.

    Args:
        x: inputs, any shape, float; must not be changed.
        branch: a function; branch(x) returns (f, inner): its answer, an array of the shape and dtype of x that must
            not be changed, and what it needs for its way back. Call it exactly once.

    Returns:
        out: x + f, a new array, same shape and dtype; no ReLU.
        cache: the tuple (f, inner).
    """
    ### BEGIN SOLUTION
    f, inner = branch(x)
    return x + f, (f, inner)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: what comes back</summary>
#
# The branch returns two things. Give both a name in one line: `f, inner = ...`.
#
# <details><summary>Hint 2: new arrays</summary>
#
# `x += f` and `f += x` change arrays that belong to others. `x + f` makes a new one.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Call the branch, then return a pair: the sum, and the tuple `(f, inner)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_residual_forward", "points": 2, "solution": false}
check("residual_forward", residual_forward)

# %% [markdown]
# **Look.** The same depths with the skip, and with smaller first weights for the branches, a tenth of Kaiming's;
# section 8 says why. Each depth again chooses the best of three rates, in about 20 seconds. **Predict** the curve.

# %%
skip_ends = best_losses(skip=True, spread=0.1)
plots.by_depth({"plain": plain_ends, "with skips": skip_ends}, (4, 10, 20, 40))

# %% [markdown]
# Look closely. With 4 layers the skips are *worse*, and 40 layers are no better than 20: depth does no harm any more,
# but it helps little here. And the picture changes two things at once. Neither suffices alone: with skips and Kaiming's
# weights the loss of 20 layers is no number at all three rates; with a tenth of them and no skips it stays at 2.3,
# which is guessing. You can try both in the lab.

# %% [markdown]
# ### Nearly linear layers
#
# A skip makes a layer *more linear*. With a small branch, $x + F(x)$ is hardly more than $x$; the share that no linear
# map could do is small. So one layer alone can do less than before: its capacity is lower, and it takes more layers for
# the same result, with their time and their memory. That is the price. What one gets for it is a chain of small, gentle
# changes that stays well-behaved for a hundred layers. **Predict:** how much of what 20 layers make of the images could
# a single linear map have done, at the start of training?


# %%
def linear_share(model):
    """Share of the variance behind the last hidden layer that the best affine map of the images explains."""
    with torch.no_grad():
        reached = torch.nn.Sequential()  # the identity
        model.end = reached
        answers = model(train_images).numpy()
    columns = np.c_[digits.x_train, np.ones(len(digits.x_train))]
    misfit = answers - columns @ np.linalg.lstsq(columns, answers, rcond=None)[0]
    return 1 - (misfit**2).sum() / ((answers - answers.mean(axis=0)) ** 2).sum()


for name, looked_at in (("1 layer, plain", Deep(1)), ("1 layer with skip", Deep(1, True, 0.1)),
                        ("20 layers, plain", Deep(20)), ("20 layers with skips", Deep(20, True, 0.1))):  # fmt: skip
    print(f"{name}: {100 * linear_share(looked_at):.2f} %")

# %% [markdown]
# Twenty plain layers have crumpled the images before training has begun, and training must first smooth them out. With
# skips they start almost flat, and training bends them where it helps.

# %% [markdown]
# ## 3 · The way back
#
# *15 minutes.* Why does descent find its way now? Follow the gradient.

# %% [markdown]
# ### Easier gradients
#
# $x$ reaches $y$ on two ways, and gradients of two ways add up (lesson 03):
#
# $$\frac{\partial L}{\partial x} = \underbrace{\frac{\partial L}{\partial y}}_{\text{past the branch}} +
# \underbrace{J_F^\top \frac{\partial L}{\partial y}}_{\text{through the branch}} .$$
#
# The first term needs no weights at all. The second may still take away from it: the *sum* is what arrives. A plain
# network of twenty layers multiplies twenty slopes, and such a product easily vanishes or explodes. Here each factor is
# $1 + $ something small, as long as the branch is small. A loud branch can spoil it: three weights of -0.6, -0.6 and
# -0.5 leave $0.4 \cdot 0.4 \cdot 0.5 = 0.08$ of the gradient, even with skips.

# %% [markdown]
# **Worked example.** Three layers with one number each and weights 0.5, -0.2 and 0.3. Plain, $h \leftarrow w h$: the
# gradient at the end, 2, becomes $2 \cdot 0.3 \cdot (-0.2) \cdot 0.5 = -0.06$. With skips, $h \leftarrow h + w h$:
# $2 \cdot 1.3 \cdot 0.8 \cdot 1.5 = 3.12$. Multiplied out, $(1 + w_1)(1 + w_2)(1 + w_3)$ has eight terms: one for each
# way through or past the three branches. The term 1 is the way past all of them. Twenty layers have $2^{20}$ ways, over
# a million. Most pass about ten branches (96 % pass 6 to 14), but each small branch on a way makes its term smaller: in
# trained networks the gradient comes mostly through the *short* ways (Veit, Wilber and Belongie, 2016).

# %%
one_number = torch.tensor(1.0, requires_grad=True)
passed = one_number
for weight_of_three in (0.5, -0.2, 0.3):
    passed = passed + weight_of_three * passed
(2 * passed).backward()
print(f"{one_number.grad:.2f}")

# %% [markdown]
# **Your turn: `residual_backward`** (2 points). It gets the cache of your own forward pass. `branch_backward(dout,
# inner)` is the way back of the branch. It returns a tuple: the gradient by its input first, then those by its
# parameters. A branch without parameters, such as `relu_backward`, returns one array instead. Return a tuple *always*.


# %% nbgrader={"grade": false, "grade_id": "residual_backward", "solution": true}
def residual_backward(dout, cache, branch_backward):
    """Gradients of a residual connection.

    Args:
        dout: gradient of the loss by the output of residual_forward, any shape, float; must not be changed.
        cache: what residual_forward returned second, (f, inner).
        branch_backward: a function; branch_backward(dout, inner) returns (dx, *rest), the gradients by the branch's
            input and parameters, or the array dx alone. These arrays must not be changed either.

    Returns:
        The tuple (dx, *rest) with the gradient by x first, both ways together; a tuple of one without parameters.
    """
    ### BEGIN SOLUTION
    through = branch_backward(dout, cache[1])
    dx, *rest = through if isinstance(through, tuple) else (through,)
    return dout + dx, *rest
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: what goes in</summary>
#
# Both ways get all of `dout`. The branch's way back also needs `inner`, the second entry of the cache.
#
# <details><summary>Hint 2: an array or a tuple?</summary>
#
# `isinstance(through, tuple)` tells. If it is an array, make a tuple of one: `(through,)`.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# Take the tuple apart with `dx, *rest = ...`. Return `dout + dx`, then the rest: `return dout + dx, *rest`. No `+=`,
# for `dx` may be `dout` itself.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_residual_backward", "points": 2, "solution": false}
check("residual_backward", residual_backward)

# %% [markdown]
# **Look.** Your pair around a real branch, a dense layer with ReLU, against differences (lesson 03). The lab uses the
# same two functions.


# %%
def layer_pass(values, weight, bias):
    """A dense layer with ReLU, and what its way back needs."""
    scores, first = affine_forward(values, weight, bias)
    answers, second = relu_forward(scores)
    return answers, (first, second)


def layer_back(slope, caches):
    """Gradients by the layer's input, weights and biases."""
    first, second = caches
    return affine_backward(relu_backward(slope, second), first)


# %%
made = np.random.default_rng(SEED)
if ready(residual_forward=residual_forward, residual_backward=residual_backward):
    report = check_backward(
        lambda values, weight, bias: residual_forward(values, partial(layer_pass, weight=weight, bias=bias)),
        lambda slope, caches: residual_backward(slope, caches, layer_back),
        *(made.normal(size=sizes) for sizes in ((4, 3), (3, 3), (3,))),
    )
    print(report)

# %% [markdown]
# ## 4 · Blocks A and B
#
# *15 minutes.* Residual networks for images are made of two kinds of blocks. Most branches have two convolutions with
# batch normalisation behind each.

# %%
plots.blocks_a_and_b()

# %% [markdown]
# ### ResBlock A
#
# The ordinary block: $y = \mathrm{ReLU}(x + F(x))$, where $F$ is convolution, batch normalisation, ReLU, convolution,
# batch normalisation. The convolutions are 3 x 3 with padding 1, so height and width stay, and there are as many
# filters as channels, so that $F(x)$ fits to $x$. The convolutions have no biases: batch normalisation would take any
# constant away at once and adds its own shift (lesson 07). The last ReLU comes *after* the sum. If it came before, a
# block could only add, never take away. (The layers of sections 2 and 7 and of the lab are built that way, to stay as
# simple as possible; for digits it is enough.) Most blocks of a network are of this kind.

# %% [markdown]
# ### ResBlock B
#
# Now and then a network halves the image and doubles the channels. Then the first convolution has stride 2 and twice as
# many filters, and $x$ no longer fits. So the shortcut gets a layer of its own, as cheap as possible: a **projection**,
# a 1 x 1 convolution with stride 2, and batch normalisation. For output channel $k$ and pixel $(i, j)$
#
# $$y_{kij} = \sum_c w_{kc}\; x_{c,\,2i,\,2j} .$$
#
# It looks at one pixel of four and throws the others away. A network has only a few blocks of this kind, one per change
# of size; everywhere else the way past stays free.

# %% [markdown]
# **Worked example.** From 16 to 32 channels block B learns $9 \cdot 16 \cdot 32 + 9 \cdot 32 \cdot 32 = 13{,}824$
# numbers in the branch, $16 \cdot 32 = 512$ in the shortcut, and $2 \cdot 32$ scales and shifts in each of three batch
# normalisations, 192: together 14,528. And an image of 5 x 5 pixels becomes 3 x 3: rows 0, 2 and 4 count. Sizes are
# rounded *up*, as those of the branch are with its padding of 1.

# %%
five_by_five = torch.arange(25.0).reshape(1, 1, 5, 5)
print(functional.conv2d(five_by_five, torch.ones(1, 1, 1, 1), stride=2)[0, 0].tolist())

# %% [markdown]
# **Your turn: `projection_shortcut`** (2 points). Only the convolution, without batch normalisation and bias. A 1 x 1
# convolution needs no windows: thin the image out, then mix the channels of each pixel.


# %% nbgrader={"grade": false, "grade_id": "projection_shortcut", "solution": true}
def projection_shortcut(x, w, stride=2):
    """A 1 x 1 convolution with a stride and without bias: what stands beside a branch that changes the shape.

    Args:
        x: images, shape (N, C, H, W), float; must not be changed.
        w: filters, shape (K, C, 1, 1), same dtype; must not be changed.
        stride: every how many pixels, from pixel 0 on, at least 1.

    Returns:
        out: shape (N, K, H / stride, W / stride), both rounded up, same dtype.
    """
    ### BEGIN SOLUTION
    return np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], x[:, :, ::stride, ::stride])
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: which pixels?</summary>
#
# A slice with a step begins at 0 and rounds up by itself: `x[:, :, ::stride, ::stride]`.
#
# <details><summary>Hint 2: which sum?</summary>
#
# For each image and pixel: the matrix `w[:, :, 0, 0]`, (K, C), times the vector of its C channels. `np.einsum` says so
# in letters, with `kc` for the matrix and `nchw` for the images.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# The `c` disappears, because it is summed over. What stays, in this order: image, filter, row, column.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_projection_shortcut", "points": 2, "solution": false}
check("projection_shortcut", projection_shortcut)

# %% [markdown]
# ## 5 · Keep the way free
#
# *5 minutes, 15 with the exercise.* What stands on the way past is passed by everything that goes forwards or
# backwards.

# %% [markdown]
# ### Where the ReLU stands
#
# In block A a ReLU follows the sum. So the way past has a ReLU after every block, and negative numbers get no further
# than the first. One year later the authors moved it (He and others, "Identity mappings", 2016): the **pre-activation
# block** normalises and rectifies *before* each convolution,
#
# $$y = x + \mathrm{conv}(\mathrm{ReLU}(\mathrm{BN}(\mathrm{conv}(\mathrm{ReLU}(\mathrm{BN}(x)))))) ,$$
#
# and nothing at all comes after the sum. From the first block to the last there is a free way, and from the last to the
# first for the gradient. With it they trained more than a thousand layers.

# %% [markdown]
# **Worked example.** Twenty blocks whose branches are silent, and $x = (2, -1, -3)$. With the ReLU after the sum $(2,
# 0, 0)$ comes out, and 0 is also the gradient of the last two. With pre-activation $x$ itself comes out. A factor on
# the way past is no better: a "harmless" 0.9 in each block leaves $0.9^{20} = 0.12$ of everything.

# %% [markdown]
# **Your turn: `preactivation_block`** (3 points; *optional, for the proud*). Both halves do the same: batch
# normalisation in training mode (eps 1e-5), ReLU, 3 x 3 convolution with padding 1 and without bias.
# Three functions of earlier lessons are imported; use them or your own:
#
# - `batchnorm2d_forward(x, gamma, beta, running_mean, running_var)` returns `out, cache`, and two new running
#   estimates. Give it zeros and ones in x's dtype, and drop the new ones;
# - `relu_forward(x)` returns `out, cache`;
# - `conv2d_forward(x, w, padding=1)` returns `out, cache`; leave its argument for biases out.


# %% nbgrader={"grade": false, "grade_id": "preactivation_block", "solution": true}
def preactivation_block(x, gamma1, beta1, w1, gamma2, beta2, w2):
    """A residual block with nothing after the sum: twice normalise, rectify, convolve, then add x.

    Batch normalisation is in training mode, with eps 1e-5; the convolutions are 3 x 3 with padding 1 and no biases.

    Args:
        x: images, shape (N, C, H, W), float; must not be changed.
        gamma1: scales of the first normalisation, shape (C,), same dtype.
        beta1: its shifts, shape (C,).
        w1: filters of the first convolution, shape (M, C, 3, 3).
        gamma2: scales of the second normalisation, shape (M,).
        beta2: its shifts, shape (M,).
        w2: filters of the second convolution, shape (C, M, 3, 3).

    Returns:
        out: shape (N, C, H, W), same dtype.
        cache: what you like; only out is checked.
    """
    ### BEGIN SOLUTION
    f, caches = x, []
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        f, norm, _, _ = batchnorm2d_forward(f, gamma, beta, np.zeros_like(beta), np.ones_like(beta))
        f, relu = relu_forward(f)
        f, convolution = conv2d_forward(f, w, padding=1)
        caches.append((norm, relu, convolution))
    return x + f, tuple(caches)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: keep x</summary>
#
# Work on another name, `h`. What is added at the end is x as it came in, not its normalised version.
#
# <details><summary>Hint 2: one half</summary>
#
# `h, norm, _, _ = batchnorm2d_forward(h, gamma1, beta1, np.zeros_like(beta1), np.ones_like(beta1))`, then
# `h, relu = relu_forward(h)`.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# The half ends with `h, conv = conv2d_forward(h, w1, padding=1)`. The second half is the same with gamma2, beta2, w2.
# Return `x + h` and a tuple with the caches.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_preactivation_block", "points": 3, "solution": false}
check("preactivation_block", preactivation_block)

# %% [markdown]
# ## 6 · The bottleneck
#
# *5 minutes, 10 with the exercise.* With 50 layers and more, two 3 x 3 convolutions per block become expensive.

# %% [markdown]
# ### A cheaper block
#
# Work in a narrow room: a 1 x 1 convolution takes $C$ channels down to $R$, a 3 x 3 works there, and a 1 x 1 goes back
# to $C$. Without biases, and with the image size kept,
#
# $$\text{parameters} = C R + 9 R^2 + R C, \qquad \text{multiply-adds} = \text{parameters} \cdot H \cdot W ,$$
#
# because each weight is used once at every pixel. A basic block has $2 \cdot 9\,C^2$. Most bottlenecks of ResNet-50
# have $C = 4R$ (the first one of each stage takes in another number of channels): $17 R^2$ against $288 R^2$. For the
# same price one can have about 17 times as many blocks, or four times as many channels. ResNet-50, 101 and 152 are
# built of bottlenecks, ResNet-18 and 34 of basic blocks.

# %% [markdown]
# **Worked example.** The second and third bottleneck of ResNet-50 take 256 channels to 64, on images of 56 x 56: $2
# \cdot 256 \cdot 64 + 9 \cdot 64^2 = 69{,}632$ parameters and 218,365,952 multiply-adds. A basic block with 256
# channels would learn 1,179,648 numbers, 16.9 times as many.

# %% [markdown]
# **Your turn: `bottleneck_cost`** (2 points; *optional, for the proud*). The three convolutions only, no
# normalisations.


# %% nbgrader={"grade": false, "grade_id": "bottleneck_cost", "solution": true}
def bottleneck_cost(channels, reduced, height, width):
    """Parameters and multiply-adds of a bottleneck: 1 x 1 to fewer channels, 3 x 3, 1 x 1 back; no biases.

    Args:
        channels: in and out, an integer.
        reduced: in between, an integer.
        height: of the image in pixels; every convolution keeps the size.
        width: of the image in pixels.

    Returns:
        The tuple (parameters, multiply-adds for one image) of the three convolutions, two integers.
    """
    ### BEGIN SOLUTION
    parameters = 2 * channels * reduced + 9 * reduced**2
    return parameters, parameters * height * width
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: one convolution</summary>
#
# K filters of size 3 x 3 over C channels hold K times C times 9 numbers; of size 1 x 1, K times C.
#
# <details><summary>Hint 2: three of them</summary>
#
# `channels` to `reduced`, `reduced` to `reduced`, `reduced` to `channels`. Add them up.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# The first and the third convolution cost the same, the second `9 * reduced**2`. Every weight works at each pixel.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_bottleneck_cost", "points": 2, "solution": false}
check("bottleneck_cost", bottleneck_cost)

# %% [markdown]
# ## 7 · How much gradient arrives?
#
# *10 minutes, 30 with the exercise.* Before training begins, one can already measure whether all layers will hear
# something.

# %% [markdown]
# ### Gradient norms, layer by layer
#
# Take the simplest deep network: $K$ layers of $D$ units without biases, $z_k = h_{k-1} W_k^\top$ and $h_k =
# \mathrm{ReLU}(z_k)$, plus $h_{k-1}$ if there are skips. Send a batch forward and some upstream gradient backward, and
# note for each layer how long the gradient of its weights is:
#
# $$dW_k = dz_k^\top\, h_{k-1}, \qquad \lVert dW_k \rVert = \sqrt{\textstyle\sum_{ij} (dW_k)_{ij}^2} .$$
#
# The weights of a layer whose norm is a millionth of the others' hardly move; one with a million times as much is
# thrown about by every step.

# %% [markdown]
# **Worked example.** One unit, three layers with weight 0.5, $x = 1$, upstream gradient 1. Plain: $h = 1, 0.5, 0.25$
# and 0.125; on the way back 1, 0.5 and 0.25 arrive. Each $dW$ is 0.25. With skips $h = 1, 1.5, 2.25, 3.375$; 1, 1.5 and
# 2.25 arrive, and each $dW$ is 2.25: nine times as much after three layers.

# %%
for with_skip in (False, True):
    three_weights = [torch.tensor(0.5, requires_grad=True) for _ in range(3)]
    value_now = torch.tensor(1.0)
    for weight_of_three in three_weights:
        value_now = torch.relu(weight_of_three * value_now) + with_skip * value_now
    value_now.backward()
    print("with skips:" if with_skip else "plain:", [weight.grad.item() for weight in three_weights])

# %% [markdown]
# **Your turn: `gradient_norm_by_depth`** (4 points; *optional, for the proud*). Forward, keep what you need; backward,
# one norm per layer. The slope of the ReLU is 0 at exactly 0. With skips a layer passes two gradients on, as in section
# 3.


# %% nbgrader={"grade": false, "grade_id": "gradient_norm_by_depth", "solution": true}
def gradient_norm_by_depth(x, weights, dout, residual=True):
    """Euclidean norm of the gradient of each layer's weights in a deep network of ReLU layers without biases.

    Each layer makes relu(h @ w.T) of its input h, plus h itself with residual=True.

    Args:
        x: inputs, shape (N, D), float; must not be changed.
        weights: a list of K arrays (D, D), same dtype; neither the list nor the arrays must be changed.
        dout: gradient of the loss by the last layer's output, shape (N, D), same dtype; must not be changed.
        residual: with or without the skips.

    Returns:
        norms: shape (K,), first layer first, same dtype. The slope of the ReLU is 0 at 0.
    """
    ### BEGIN SOLUTION
    inputs, slopes = [x], []
    for w in weights:
        scores = inputs[-1] @ w.T
        slopes.append(scores > 0)
        inputs.append(np.maximum(scores, 0) + (inputs[-1] if residual else 0))
    norms = np.empty(len(weights), x.dtype)
    for k in reversed(range(len(weights))):
        delta = dout * slopes[k]
        norms[k] = np.linalg.norm(delta.T @ inputs[k])
        dout = delta @ weights[k] + (dout if residual else 0)
    return norms
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: forward</summary>
#
# Keep two lists: the input of every layer, and where its scores `h @ w.T` were above 0.
#
# <details><summary>Hint 2: backward</summary>
#
# From the last layer to the first: `dz = dout * (scores > 0)`, the norm of `dz.T @ h` with that layer's *input* h, then
# a new `dout`: `dz @ w`, and with skips the old `dout` is added.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `norms = np.empty(len(weights), x.dtype)`; `for k in reversed(range(len(weights))):` fills `norms[k]` with
# `np.linalg.norm(...)`. Write `dout = dz @ w + dout`, never `dout += ...`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_gradient_norm_by_depth", "points": 4, "solution": false}
check("gradient_norm_by_depth", gradient_norm_by_depth)

# %% [markdown]
# **Look.** The first layer's norm, for 4 to 64 layers, on 64 digits, by your function (by Torch, until yours passes).
# Torch draws the weights of a dense layer with 0.41 of Kaiming's deviation unless told otherwise. **Predict** the four
# curves before you run it: which fall, which rise, which stay?


# %%
def norms_of_torch(images, layers, upstream, skip=True):
    """The same norms by autograd."""
    tensors = [torch.tensor(layer, requires_grad=True) for layer in layers]
    values = torch.tensor(images)
    for layer in tensors:
        answer = torch.relu(values @ layer.T)
        values = values + answer if skip else answer
    return [float(part.norm()) for part in torch.autograd.grad(values, tensors, torch.tensor(upstream))]


def first_norms(norms, spread, skip):
    """The norm of the first layer for 4 to 64 layers."""
    found = []
    for depth in (4, 8, 16, 32, 64):
        draw = np.random.default_rng(SEED)
        layers = [draw.normal(0, spread * np.sqrt(2 / 64), (64, 64)) for _ in range(depth)]
        found.append(norms(digits.x_train[:64], layers, draw.normal(size=(64, 64)) / 64, skip)[0])
    return found


# %%
norms_ready = ready(gradient_norm_by_depth=gradient_norm_by_depth)
norms_by = gradient_norm_by_depth if norms_ready else norms_of_torch
norm_curves = {
    "plain, Torch's weights": first_norms(norms_by, 0.41, False),
    "plain, Kaiming's weights": first_norms(norms_by, 1.0, False),
    "skips, Torch's weights": first_norms(norms_by, 0.41, True),
    "skips, a tenth of Kaiming's": first_norms(norms_by, 0.1, True),
}
print("by your function" if norms_ready else "by Torch")
plots.norms_by_depth(norm_curves, (4, 8, 16, 32, 64))

# %% [markdown]
# With Torch's weights the plain network of 64 layers is deaf: its norm is
# about $10^{-25}$. Skips cure that, and bring a
# new illness: the norm *grows*. Only small branches keep it level. Kaiming's weights keep the plain network level, too;
# yet section 1 saw it fail. The norm tells how loud the gradient is, not whether it makes sense: in deep plain networks
# neighbouring images have nearly unrelated gradients, as in noise (Balduzzi and others, 2017).

# %% [markdown]
# **Look.** All layers, with a slider for the depth. Its *gain* counts from a deviation of $1/\sqrt D$, so Kaiming's
# weights, 1 in the curves above, are at a gain of $\sqrt 2$. **Predict** first, then reach the two goals.

# %%
DepthNorms()

# %% [markdown]
# In a plain network without biases all layers have nearly the same norm, large or small. That is no accident: making
# one layer's weights larger does the same as making another's larger.

# %% [markdown]
# ## 8 · How loud may a branch be?
#
# *15 minutes.* The skip passes everything on, and every branch adds something.

# %% [markdown]
# ### Growing variance
#
# Let each block add $s$ times what its branch answers, and let that answer have mean 0, the variance of the block's
# input, and nothing to do with it. Variances of independent numbers add up, and a factor $s$ counts as $s^2$:
#
# $$\operatorname{Var}(h_k) = \operatorname{Var}(h_{k-1})\,(1 + s^2), \qquad
# \operatorname{Var}(h_L) = \operatorname{Var}(x)\,(1 + s^2)^L .$$
#
# With $s = 1$ it doubles with every block: after 24 blocks it is 17 million. With batch normalisation at the end of the
# branch each answer has variance 1 whatever comes in, so the variance only grows *by* 1 per block, to 25. And with $s =
# 0$ it stays.

# %% [markdown]
# ### Start with silence
#
# Even better: let every block *begin* as the identity. Batch normalisation ends with a scale $\gamma$; if the **last**
# one of each branch starts at 0 instead of 1, the branch is silent, $y = x + 0$. (Block A's ReLU changes nothing then:
# its $x$ comes out of a ReLU.) The network behaves like one with no branches, and training wakes them when it needs
# them. Goyal and others (2017) did this to train ResNet-50 with 8,192 images per batch. Only the last scale: with all
# of them at 0 the last normalisation would see nothing but zeros. Its $\hat x$ would be 0, and only its shift would get
# a gradient: the branch could add a constant per channel, and would never look at the image.

# %% [markdown]
# **Worked example.** A branch with two normalisations, the first of two channels with the scales $(1, 1)$, the last of
# three with $(1, 1, 1)$: it starts with $(1, 1)$ and $(0, 0, 0)$. A shortcut's normalisation is not meant. The gradient
# of a scale is the sum of upstream gradient times $\hat x$. It does not contain the scale itself, so a scale of 0 is no
# trap: after one step it is awake.

# %% [markdown]
# **Your turn: `zero_init_gamma`** (2 points). One list per block, one array of scales per normalisation of its branch.


# %% nbgrader={"grade": false, "grade_id": "zero_init_gamma", "solution": true}
def zero_init_gamma(gammas):
    """Scales with which every residual block starts as the identity.

    Args:
        gammas: a list (or tuple) with one list (or tuple) per block, which holds the scales of its branch's
            normalisations in order, each of shape (C,), float; nothing of it must be changed.

    Returns:
        A new list of new lists of new arrays: the last scales of each block are zeros, the others copies. Same
        shapes and dtypes; tuples are as good as lists.
    """
    ### BEGIN SOLUTION
    return [[*(gamma.copy() for gamma in block[:-1]), np.zeros_like(block[-1])] for block in gammas]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two loops</summary>
#
# Over the blocks, and in each block over all of its arrays but the last: `block[:-1]`.
#
# <details><summary>Hint 2: new arrays</summary>
#
# `gamma.copy()` for those that stay. `np.zeros_like(block[-1])` has the right shape and dtype.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# For each block: a list of the copies, and the zeros at its end. Collect these lists.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_zero_init_gamma", "points": 2, "solution": false}
check("zero_init_gamma", zero_init_gamma)

# %% [markdown]
# **Look.** Measured against the formula: 24 blocks with branches of two dense layers and a ReLU between them, on 1,000
# random inputs. **Predict** which curves are straight on the logarithmic scale.


# %%
def variances(scale, scales_of_norms=None, blocks=24):
    """Variance of the values before and behind each block; with normalisation, its scales come in."""
    torch.manual_seed(SEED)
    values = torch.randn(1000, 64)
    met = [float(values.var())]
    for place in range(blocks):
        answer = torch.relu(values @ (torch.randn(64, 64) * (2 / 64) ** 0.5)) @ (torch.randn(64, 64) / 8)
        if scales_of_norms is not None:
            last_scales = torch.tensor(scales_of_norms[place][-1]).float()
            answer = functional.batch_norm(answer, None, None, last_scales, training=True)
        values = values + scale * answer
        met.append(float(values.var()))
    return met


# %%
ones_everywhere = [[np.ones(64), np.ones(64)] for _ in range(24)]
steps_taken = np.arange(25)
grown = {"s = 1": variances(1), "s = 0.3": variances(0.3), "batch normalisation": variances(1, ones_everywhere)}
by_formula = {"s = 1": 2.0**steps_taken, "s = 0.3": 1.09**steps_taken, "batch normalisation": 1.0 + steps_taken}
if ready(zero_init_gamma=zero_init_gamma):
    grown["last scales 0 (yours)"] = variances(1, zero_init_gamma(ones_everywhere))
    by_formula["last scales 0 (yours)"] = np.ones(25)
plots.spread_by_block(grown, by_formula)

# %% [markdown]
# **Look.** The same with a slider for $s$, and the gradient beside it. **Predict**, then reach the two goals: how small
# must a branch be for 32 blocks, how small for 64?

# %%
BranchScale()

# %% [markdown]
# A rule of thumb: $s$ near $1/\sqrt{L}$ keeps $(1 + s^2)^L$ below $e = 2.72$, however many blocks there are. (The goal
# above, a factor of 2, asks for a little less, $0.83/\sqrt{L}$: 0.147 for 32 blocks, 0.104 for 64.) Now you know why
# the deep networks of section 2 had small first weights.

# %% [markdown]
# ## 9 · Bug hunt: blocks that come and go
#
# *15 minutes.* If a block adds only a little, can one leave it out?

# %% [markdown]
# ### Taking blocks out
#
# In a plain network each layer feeds the next one, and without one of them nothing fits any more. In a residual network
# $2^L$ ways lead through $L$ blocks, and half of them avoid any given block: without it $2^{L-1}$ are left. Veit,
# Wilber and Belongie (2016) deleted single blocks of trained networks and found that most of them are hardly missed. We
# repeat it with two networks of ten layers, one plain and one with skips. **Predict** how much of its score each of
# them loses, and where; then reach the goals.


# %%
@torch.no_grad()
def without_each(model):
    """Share of validation images right when one layer is taken out, for each layer."""
    shares, whole = [], model.layers
    for out_now in range(len(whole)):
        model.layers = torch.nn.ModuleList(layer for place, layer in enumerate(whole) if place != out_now)
        shares.append(right(model) / 100)
    model.layers = whole
    return shares


removable = {"residual": Deep(10, True, 0.1), "plain": Deep(10)}
for network_of_ten in removable.values():
    fit(network_of_ten, 0.1)
BlockRemoval(
    *(without_each(network_of_ten) for network_of_ten in removable.values()),
    whole=tuple(right(network_of_ten) / 100 for network_of_ten in removable.values()),
)

# %% [markdown]
# ### Stochastic depth
#
# So drop blocks on purpose, as dropout drops units (Huang and others, 2016). For each example in each step a coin
# decides whether the branch stays. If it does, it is scaled up; if not, $x$ passes alone:
#
# $$y = x + \frac{m}{1 - p}\, F(x) , \qquad m = 1 \text{ with probability } 1 - p, \text{ else } 0 .$$
#
# On average this is $x + F(x)$, and that is what evaluation computes, without drawing. Early blocks are needed by all
# that follow, so they are dropped less often, by the **linear rule**: block $l$ of $L$ is dropped with probability
# $\frac{l}{L}\, p_L$.

# %%
plots.bars(
    {str(block_number): 0.5 * block_number / 10 for block_number in range(1, 11)},
    "The linear rule with 10 blocks and 0.5 for the last",
    ("block", "probability to drop"),
    "Bars of the probability to drop a block: from 0.05 for block 1 in equal steps to 0.5 for block 10.",
    "{:.2f}",
)

# %% [markdown]
# These ten probabilities add up to $0.5 \cdot (1 + 2 + \dots + 10)/10 = 0.5 \cdot 11/2 = 2.75$. So on average 7.25 of
# ten blocks are in use, and if a whole batch drops a block together, as in the paper, a quarter of the time is saved.
#
# A classmate has written it, with one coin per example. **Predict** from reading: is it right?


# %%
def drop_suspect(x, f, p=0.5, train=True, rng=None, keep=None):
    """Two things are wrong."""
    if not train:
        return x + (1 - p) * f, (np.full(len(x), 1 - p),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return (x + f) * factor, (factor,)


# %% [markdown]
# Two promises are your tools. **One:** an example whose branch is dropped comes out as $x$. **Two:** the mean over many
# draws is what evaluation returns. Here $x = 1$ and $f = 2$ for 10,000 examples, with $p = 0.3$.


# %%
def two_promises(function):
    """What comes out in training, its mean, and what comes out in evaluation."""
    ones = np.ones((10_000, 1))
    draws = function(ones, 2 * ones, 0.3, True, np.random.default_rng(SEED))[0]
    settled = function(ones, 2 * ones, 0.3, False)[0]
    values = ", ".join(f"{value:.3f}" for value in np.unique(draws.round(3)))
    print(f"training: {values}; mean {draws.mean():.3f}; evaluation: {settled[0, 0]:.3f}")


two_promises(drop_suspect)

# %% [markdown]
# **Your turn: `stochastic_depth`** (3 points). Write it as it should be. The cache is the factor of every example.


# %% nbgrader={"grade": false, "grade_id": "stochastic_depth", "solution": true}
def stochastic_depth(x, f, p=0.5, train=True, rng=None, keep=None):
    """A residual sum whose branch is dropped for some examples.

    Args:
        x: what goes past the branch, shape (N, ...), float; must not be changed.
        f: what the branch answers, same shape and dtype; must not be changed.
        p: probability to drop the branch of an example, 0 or more and below 1.
        train: drop and scale; in evaluation nothing is drawn, and out is x + f.
        rng: a NumPy generator; draw once per example, rng.random(len(x)) >= p keeps the branch.
        keep: who keeps the branch, booleans (N,), True keeps; if given, nothing is drawn.

    Returns:
        out: same shape and dtype as x.
        cache: the tuple (factor,): what each example's f was multiplied with.
    """
    ### BEGIN SOLUTION
    sizes = (len(x), *[1] * (x.ndim - 1))
    if not train:
        return x + f, (np.ones(sizes, x.dtype),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype).reshape(sizes)
    return x + f * factor, (factor,)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: which promise breaks where?</summary>
#
# The first one looks at training alone: what is multiplied by the factor? The second one compares both modes: how often
# is it scaled in all?
#
# <details><summary>Hint 2: evaluation</summary>
#
# Training has divided by 1 - p already. Then evaluation has nothing left to scale.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# The lines that make `keep` and `factor` are right. The factor belongs to f alone, and evaluation is `x + f`, with ones
# as factors.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_stochastic_depth", "points": 3, "solution": false}
check("stochastic_depth", stochastic_depth)

# %% [markdown]
# **Look.** The two promises with your function.

# %%
if ready(stochastic_depth=stochastic_depth):
    two_promises(stochastic_depth)

# %% [markdown]
# ## 10 · ResNet-18, row by row
#
# *20 minutes.* The smallest of the famous ones, as a table that your function writes.

# %% [markdown]
# ### ResNet-18
#
# Eighteen layers with weights, counted without shortcuts:
#
# - **conv1:** 7 x 7, 64 filters, stride 2, padding 3; batch normalisation, ReLU;
# - **pool1:** the maximum of 3 x 3, stride 2, padding 1;
# - **four stages** of two basic blocks each, with 64, 128, 256 and 512 channels. The first block of stages 2, 3 and 4
#   is a block B: its first convolution has stride 2, and its shortcut is a projection. All others are blocks A;
# - **mean:** the average of each channel over all pixels; **fc:** a dense layer with biases to 1,000 classes.
#
# $$\underbrace{1}_{\text{conv1}} + \underbrace{4 \cdot 2 \cdot 2}_{\text{blocks}} + \underbrace{1}_{\text{fc}} = 18 .$$
#
# It halves the image five times, in conv1, pool1 and stages 2 to 4: 224 pixels become 7. Odd sizes are rounded up.

# %% [markdown]
# **Worked example.** No convolution has biases; each has a batch normalisation with a scale and a shift per channel
# behind it, which counts in the same row. conv1 learns $64 \cdot 3 \cdot 7 \cdot 7 + 2 \cdot 64 = 9{,}536$ numbers. A
# block of stage 1: $2\,(9 \cdot 64 \cdot 64 + 2 \cdot 64) = 73{,}984$. The first block of stage 2: $9 \cdot 64 \cdot
# 128 + 9 \cdot 128 \cdot 128 + 64 \cdot 128$, and $2 \cdot 128$ for each of three normalisations: 230,144. Running
# means and variances are saved, but not learned: they do not count.

# %% [markdown]
# **Your turn: `resnet18_shapes`** (4 points). Twelve rows, as in lesson 06's table of AlexNet. The imported
# `conv_output_size(size, kernel, stride, padding)` knows the sizes: 7, 2, 3 for conv1; 3, 2, 1 for the pooling and for
# every block B.


# %% nbgrader={"grade": false, "grade_id": "resnet18_shapes", "solution": true}
def resnet18_shapes(shape=(3, 224, 224), classes=1000):
    """Output shape and parameters of every block of ResNet-18.

    Args:
        shape: of one image, (C, H, W); sizes may be odd.
        classes: how many answers, an integer.

    Returns:
        A list of twelve tuples (name, output shape, parameters), named conv1, pool1, stage1.1, stage1.2, stage2.1, ...
        stage4.2, mean, fc. Shapes are tuples (C, H, W), of the last two rows (D,). Pooling and mean have 0 parameters.
        A batch normalisation counts 2 per channel, in the row of its convolution; only the dense layer has biases.
        A shortcut is a convolution only where the channels change. There is no row for the total.
    """
    ### BEGIN SOLUTION
    inputs, *size = shape
    size = [conv_output_size(pixels, 7, 2, 3) for pixels in size]
    rows = [("conv1", (64, *size), 49 * inputs * 64 + 2 * 64)]
    size = [conv_output_size(pixels, 3, 2, 1) for pixels in size]
    rows.append(("pool1", (64, *size), 0))
    inputs = 64
    for stage, channels in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * inputs * channels + 9 * channels**2 + 4 * channels
            if inputs != channels:
                parameters += inputs * channels + 2 * channels
                size = [conv_output_size(pixels, 3, 2, 1) for pixels in size]
            rows.append((f"stage{stage}.{block}", (channels, *size), parameters))
            inputs = channels
    return [*rows, ("mean", (512,), 0), ("fc", (classes,), 512 * classes + classes)]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: what travels along</summary>
#
# Three things change from row to row: the channels that come in, the height, the width. Start with `inputs, *size =
# shape`; then `size = [conv_output_size(pixels, 7, 2, 3) for pixels in size]` is one step.
#
# <details><summary>Hint 2: one block</summary>
#
# With `channels` filters: 9 times inputs times channels, 9 times channels squared, and 4 times channels for two
# normalisations. If `inputs != channels`: a shortcut, inputs times channels plus 2 times channels, and the size halves.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `for stage, channels in enumerate((64, 128, 256, 512), start=1):`, inside it `for block in (1, 2):`. Append `(name,
# (channels, *size), parameters)`, then set `inputs = channels`. Last `("mean", (512,), 0)` and `("fc", (classes,),
# 513 * classes)`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_resnet18_shapes", "points": 4, "solution": false}
check("resnet18_shapes", resnet18_shapes)

# %% [markdown]
# **Look.** Your rows, added up. **Predict** the stage with most parameters, and the share of the dense layer (of
# AlexNet dense layers were 94 %).

# %%
if ready(resnet18_shapes=resnet18_shapes):
    table_of_18 = resnet18_shapes()
    sum_of_18 = sum(row[2] for row in table_of_18)
    print(f"{sum_of_18:,} parameters; published: 11,689,512")
    print(f"dense layer: {100 * table_of_18[-1][2] / sum_of_18:.1f} %")
    display(plots.stage_bars(table_of_18))

# %% [markdown]
# ## 11 · Architectures
#
# *10 minutes.* Where do residual networks stand among the others?

# %%
plots.architecture_years(ARCHITECTURES)

# %% [markdown]
# ### Architectures through time
#
# **LeNet** (1989 to 1998) read digits with two convolutions. **AlexNet** (2012) did the same with 60 million parameters
# on two graphics cards, and began the decade. **VGG** (2014) stacked small 3 x 3 filters up to 19 layers. **GoogLeNet**
# (2014) put filters of several sizes side by side in Inception modules and saved parameters with 1 x 1 convolutions.
# **ResNet** (2015) made depth trainable: 152 layers, $y = x + F(x)$. Since then hardly a network does without skips:
# **DenseNet** (2016) concatenates where ResNet adds, **MobileNetV2** (2018) and **EfficientNet** (2019) put narrow ends
# and a wide, cheap middle into residual blocks, and transformers have a skip around every layer.

# %% [markdown]
# ### Accuracy, parameters, operations
#
# Three numbers describe a network, and no one of them replaces the others. *Parameters* need memory. *Operations*,
# multiply-adds for one image, need time and current. *Accuracy*, here the share of 50,000 ImageNet photographs whose
# first answer is right, is what one gets for them. VGG-16 has $138 / 25.6 = 5.4$ times the parameters of ResNet-50 and
# 3.8 times the operations, and is 4.5 points worse. Good networks lie at the upper left. All figures come from one
# source, the documentation of Torchvision (first published weights, one crop of 224 x 224 per photograph): figures of
# different papers use other crops and cannot be compared.

# %%
plots.architecture_map(ARCHITECTURES)

# %% [markdown]
# **What is wrong here?** "ResNet-152 has the best accuracy, so it is the best network."
# <details><summary>Answer</summary>
#
# Best for what? EfficientNet-B0 is 0.6 points behind, with a thirtieth of the operations and an eleventh of the
# parameters. On a telephone that decides. And a few tenths of a point also come from *how* a network was trained.
# </details>
#
# **Look.** The same map to click through, with year, paper and source of each network. **Predict** first, then reach
# the goals.

# %%
ArchitectureMap()

# %% [markdown]
# ## 12 · Your own small ResNet
#
# *20 minutes.* Now in Torch, as one writes it in practice.

# %% [markdown]
# ### ResNetSmall
#
# One stem, one block A, one block B, a mean, a dense layer; with `width` channels at first:
#
# - **stem:** 3 x 3 convolution from 1 to `width` channels, batch normalisation, ReLU;
# - **block A:** convolution, normalisation, ReLU, convolution, normalisation; plus the block's input; ReLU. All with
#   `width` channels;
# - **block B:** the same with twice as many channels; the first convolution has stride 2; the shortcut is a 1 x 1
#   convolution with stride 2 and a normalisation. Sum, ReLU;
# - the **mean** of each channel over height and width, and a **dense layer** from these means to the classes. No
#   softmax.
#
# Both blocks compute $\mathrm{ReLU}(x + F(x))$, block B with its shortcut in place of $x$. 3 x 3 convolutions have
# padding 1, and no convolution has a bias. With `width=8` and ten classes the network learns 5,122 numbers in 20
# arrays.

# %% [markdown]
# The parts are `torch.nn.Conv2d(channels, filters, kernel, stride=1, padding=0, bias=True)`, `torch.nn.BatchNorm2d` and
# `torch.nn.Linear`. A layer that is assigned to `self` in `__init__` is *registered*: its weights belong to
# `parameters()`, in the order of assignment. Keep lists of layers in `torch.nn.ModuleList`; those in a plain list are
# not found. A layer must be made once for each place where it stands, and be used there only.

# %%
small_stem = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, padding=1, bias=False), torch.nn.BatchNorm2d(8))
print([tuple(part.shape) for part in small_stem.parameters()])
print("behind the stem:", tuple(small_stem(torch.randn(2, 1, 8, 8)).shape))

# %% [markdown]
# **Your turn: `ResNetSmall`** (4 points). It is checked by loading secret weights in the order of the docstring, in
# training and in evaluation mode, by a gradient for every parameter, and by learning 16 images by heart in 60 steps. It
# must work in float32 and in float64, on images of any size.


# %% nbgrader={"grade": false, "grade_id": "ResNetSmall", "solution": true}
class ResNetSmall(torch.nn.Module):
    """A small residual network: stem, block A, block B, mean over height and width, dense layer.

    Layers are registered in this order: stem convolution and its batch normalisation; block A: first convolution and
    normalisation, second convolution and normalisation; block B: the same, then the shortcut's convolution and its
    normalisation; the dense layer. 20 parameter arrays; convolutions have no biases.

    Args of __init__:
        width: channels of the stem and of block A; block B has twice as many.
        classes: how many scores.

    forward(x) takes images (N, 1, H, W) in the dtype of the weights and returns scores (N, classes); no softmax.
    """

    def __init__(self, width=8, classes=10):
        ### BEGIN SOLUTION
        super().__init__()
        wide = 2 * width
        self.stem = torch.nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.stem_norm = torch.nn.BatchNorm2d(width)
        self.a1 = torch.nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.a1_norm = torch.nn.BatchNorm2d(width)
        self.a2 = torch.nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.a2_norm = torch.nn.BatchNorm2d(width)
        self.b1 = torch.nn.Conv2d(width, wide, 3, stride=2, padding=1, bias=False)
        self.b1_norm = torch.nn.BatchNorm2d(wide)
        self.b2 = torch.nn.Conv2d(wide, wide, 3, padding=1, bias=False)
        self.b2_norm = torch.nn.BatchNorm2d(wide)
        self.shortcut = torch.nn.Conv2d(width, wide, 1, stride=2, bias=False)
        self.shortcut_norm = torch.nn.BatchNorm2d(wide)
        self.dense = torch.nn.Linear(wide, classes)

    def forward(self, x):
        """Scores of the classes."""
        h = torch.relu(self.stem_norm(self.stem(x)))
        f = torch.relu(self.a1_norm(self.a1(h)))
        h = torch.relu(h + self.a2_norm(self.a2(f)))
        f = torch.relu(self.b1_norm(self.b1(h)))
        h = torch.relu(self.shortcut_norm(self.shortcut(h)) + self.b2_norm(self.b2(f)))
        return self.dense(h.mean(dim=(2, 3)))
        ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: thirteen layers</summary>
#
# `super().__init__()` first. Then six convolutions, each followed by its `BatchNorm2d`, in the order of the docstring,
# and one `Linear`. Write `forward` below `__init__`.
#
# <details><summary>Hint 2: a block</summary>
#
# Keep the block's input: `f = torch.relu(norm1(conv1(h)))`, then `h = torch.relu(h + norm2(conv2(f)))`. The last ReLU
# stands around the sum. In block B the shortcut's layers stand around `h`.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# First convolution of B: `Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False)`. Shortcut: `Conv2d(width,
# 2 * width, 1, stride=2, bias=False)`. At the end `self.dense(h.mean(dim=(2, 3)))`.
# </details>
# </details>
# </details>

# %% nbgrader={"grade": true, "grade_id": "check_ResNetSmall", "points": 4, "solution": false}
check("ResNetSmall", ResNetSmall)

# %% [markdown]
# **Look.** Your network on the digits, five epochs. **Predict:** do 5,122 numbers beat section 1's network of 4
# layers, which has 17,290 and reads 97 % of the validation images right?

# %%
square_images = train_images.reshape(-1, 1, 8, 8).float()
if ready(ResNetSmall=ResNetSmall):
    torch.manual_seed(SEED)
    small = ResNetSmall()
    small_optimiser = torch.optim.Adam(small.parameters(), lr=0.02)
    for epoch in range(5):
        small_optimiser.param_groups[0]["lr"] = 0.02 * (1 - epoch / 5)
        for rows in torch.randperm(1197, generator=torch.Generator().manual_seed(epoch)).split(32):
            small_optimiser.zero_grad()
            functional.cross_entropy(small(square_images[rows]), train_labels[rows]).backward()
            small_optimiser.step()
    print(f"{right(small.eval(), check_images.reshape(-1, 1, 8, 8).float()):.1f} % right, by your ResNetSmall")

# %% [markdown]
# Convolutions know about neighbours, dense layers do not. So a good architecture saves more than depth gives; skips
# make sure that depth does no harm.

# %% [markdown]
# ## 13 · Exam corner
#
# *15 minutes, pen and paper; a calculator helps.* Six questions, one point each. The numbers are yours: another learner
# gets others. In a class, set `LEARNER` in the setup cell to the id that your instructor gave you, and run that cell
# again.

# %%
exam_sheet("08_residual", learner=LEARNER)

# %% [markdown]
# **Your turn:** in each cell below, replace `None` by your number; the lines under it then do nothing. Run the cell,
# and the check after it.

# %% nbgrader={"grade": false, "grade_id": "exam_residual_chain", "solution": true}
### BEGIN SOLUTION exam_residual_chain = None  # replace None by your number
asked = exam_numbers("exam_residual_chain", learner=LEARNER)
exam_residual_chain = round(asked["dout"] * (1 + asked["w1"]) * (1 + asked["w2"]) * (1 + asked["w3"]), 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_residual_chain", "points": 1, "solution": false}
check("exam_residual_chain", exam_residual_chain, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_block_parameters", "solution": true}
### BEGIN SOLUTION exam_block_parameters = None  # replace None by your number
asked = exam_numbers("exam_block_parameters", learner=LEARNER)
exam_block_parameters = 9 * asked["after"] * (asked["before"] + asked["after"])
exam_block_parameters += asked["before"] * asked["after"] + 6 * asked["after"]
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_block_parameters", "points": 1, "solution": false}
check("exam_block_parameters", exam_block_parameters, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_bottleneck_saving", "solution": true}
### BEGIN SOLUTION exam_bottleneck_saving = None  # replace None by your number
asked = exam_numbers("exam_bottleneck_saving", learner=LEARNER)
asked_narrow = 2 * asked["channels"] * asked["reduced"] + 9 * asked["reduced"] ** 2
exam_bottleneck_saving = round(18 * asked["channels"] ** 2 / asked_narrow, 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_bottleneck_saving", "points": 1, "solution": false}
check("exam_bottleneck_saving", exam_bottleneck_saving, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_mean_pixels", "solution": true}
### BEGIN SOLUTION exam_mean_pixels = None  # replace None by your number
asked = exam_numbers("exam_mean_pixels", learner=LEARNER)
exam_mean_pixels = int(np.ceil(asked["height"] / 32) * np.ceil(asked["width"] / 32))
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_mean_pixels", "points": 1, "solution": false}
check("exam_mean_pixels", exam_mean_pixels, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_variance_growth", "solution": true}
### BEGIN SOLUTION exam_variance_growth = None  # replace None by your number
asked = exam_numbers("exam_variance_growth", learner=LEARNER)
exam_variance_growth = round(asked["variance"] * (1 + asked["scale"] ** 2) ** asked["blocks"], 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_variance_growth", "points": 1, "solution": false}
check("exam_variance_growth", exam_variance_growth, learner=LEARNER)

# %% nbgrader={"grade": false, "grade_id": "exam_expected_depth", "solution": true}
### BEGIN SOLUTION exam_expected_depth = None  # replace None by your number
asked = exam_numbers("exam_expected_depth", learner=LEARNER)
exam_expected_depth = round(asked["blocks"] - asked["last"] * (asked["blocks"] + 1) / 2, 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_exam_expected_depth", "points": 1, "solution": false}
check("exam_expected_depth", exam_expected_depth, learner=LEARNER)

# %% [markdown]
# ## 14 · Lab: twenty layers that learn
#
# *15 minutes.* The network of section 1 again: twenty hidden layers, now five epochs, a rate that falls to 0.
# **Target:** at least 94 % of the test images, with all twenty layers.

# %% [markdown]
# It comes twice: once with *your* residual connection around the layers of section 3, once by Torch. Both start from
# the same numbers and see the same batches. `whose = "mine"` trains with your functions if they pass their checks;
# `whose = "course"` leaves everything to Torch.


# %%
def first_layers(depth, spread, seed=SEED):
    """Weights and biases of all layers, the last one with ten outputs."""
    draw = np.random.default_rng(seed)
    layers = [[draw.normal(0, spread * np.sqrt(2 / 64), (64, 64)), np.zeros(64)] for _ in range(depth)]
    return [*layers, [draw.normal(0, 1 / 8, (10, 64)), np.zeros(10)]]


def my_scores(layers, skip, images):
    """Scores, and the caches of all layers, by your residual_forward."""
    values, caches = images, []
    for weight, bias in layers[:-1]:
        layer = partial(layer_pass, weight=weight, bias=bias)
        values, kept = residual_forward(values, layer) if skip else layer(values)
        caches.append(kept)
    scores, last = affine_forward(values, *layers[-1])
    return scores, [*caches, last]


# %%
class Mine:
    """The network by your functions."""

    def __init__(self, layers, skip):
        self.layers, self.skip = layers, skip

    def step(self, images, wanted, rate):
        """One step of SGD on a batch; returns the loss before it."""
        scores, (*caches, last) = my_scores(self.layers, self.skip, images)
        value, on_top = softmax_cross_entropy_forward(scores, wanted)
        slope, *found = affine_backward(softmax_cross_entropy_backward(1.0, on_top), last)
        moves = [found]
        for kept in reversed(caches):
            slope, *found = residual_backward(slope, kept, layer_back) if self.skip else layer_back(slope, kept)
            moves.append(found)
        for layer, (dw, db) in zip(self.layers, reversed(moves), strict=True):
            layer[0], layer[1] = layer[0] - rate * dw, layer[1] - rate * db
        return float(value)

    def scores(self, images):
        """Scores of images."""
        return my_scores(self.layers, self.skip, images)[0]


# %%
class Torchs:
    """The same network by Torch, from the same first weights."""

    def __init__(self, layers, skip):
        self.network = Deep(len(layers) - 1, skip)
        for module, (weight, bias) in zip([*self.network.layers, self.network.end], layers, strict=True):
            module.weight.data, module.bias.data = torch.tensor(weight), torch.tensor(bias)

    def step(self, images, wanted, rate):
        """One step of SGD on a batch; returns the loss before it."""
        value = functional.cross_entropy(self.network(torch.tensor(images)), torch.tensor(wanted))
        weights = list(self.network.parameters())
        with torch.no_grad():
            for part, slope in zip(weights, torch.autograd.grad(value, weights), strict=True):
                part -= rate * slope
        return float(value.detach())

    @torch.no_grad()
    def scores(self, images):
        """Scores of images."""
        return self.network(torch.tensor(images)).numpy()


# %%
def lab_run(network, rate, epochs=5, size=32, seed=SEED):
    """Train; a last batch that is not full is left out. Mean loss and validation score (%) of each epoch."""
    order, told, step = np.random.default_rng(seed), {"batches": [], "validation": []}, 0
    for _ in range(epochs):
        whole = order.permutation(len(digits.x_train))[: len(digits.x_train) // size * size].reshape(-1, size)
        values = []
        for rows in whole:
            falling = rate * (1 - step / (epochs * len(whole)))
            values.append(network.step(digits.x_train[rows], digits.y_train[rows], falling))
            step += 1
        told["batches"].append(float(np.mean(values)))
        found = network.scores(digits.x_validation).argmax(axis=1)
        told["validation"].append(100 * float((found == digits.y_validation).mean()))
    return told


# %% [markdown]
# **Your turn:** the settings below do not work. Run down to the validation score. Then change *one* thing, say first
# what you expect, and run again. One change leads from bad to worse before it gets better; section 8 knows why.
#
# | Setting | What it does | Try |
# |---|---|---|
# | `skip` | adds each layer's input to its answer | False, True |
# | `spread` | multiplies Kaiming's first weights of the hidden layers | 0.01 to 1.5 |
# | `rate` | learning rate at the start | 0.01 to 1 |

# %%
whose = "mine"

# %% nbgrader={"grade": false, "grade_id": "lab_settings", "solution": true}
### BEGIN SOLUTION SETTINGS = dict(skip=False, spread=1.0, rate=0.3)  # change me
SETTINGS = dict(skip=True, spread=0.1, rate=0.1)
### END SOLUTION

# %%
mine_ready = whose == "mine" and ready(residual_forward=residual_forward, residual_backward=residual_backward)
by_torch, by_mine, my_told = Torchs(first_layers(20, SETTINGS["spread"]), SETTINGS["skip"]), None, None
torch_told = lab_run(by_torch, SETTINGS["rate"])
if mine_ready:
    by_mine = Mine(first_layers(20, SETTINGS["spread"]), SETTINGS["skip"])
    with np.errstate(over="ignore", invalid="ignore"):  # a loss that is no number says it better
        my_told = lab_run(by_mine, SETTINGS["rate"])
plots.lab_curves(my_told and my_told["batches"], torch_told["batches"], "cross-entropy per batch")

# %% [markdown]
# One curve hides the other: the same network, forwards, backwards and step by step. No curve at all? Then the loss was
# no number any more.

# %%
shown = my_told or torch_told
print("after each epoch (%):", " ".join(f"{score:.1f}" for score in shown["validation"]))
if mine_ready:
    apart = max(abs(one - other) for one, other in zip(my_told["batches"], torch_told["batches"], strict=True))
    print(f"your losses and Torch's differ by at most {apart:.0e}" if np.isfinite(apart) else "the loss is no number")

# %% [markdown]
# **Choose with the validation score**, and with nothing else. Satisfied? Only then set `OPEN_TEST = True` and run the
# rest, once.

# %% nbgrader={"grade": false, "grade_id": "lab_test", "solution": true}
### BEGIN SOLUTION OPEN_TEST = False  # True at the very end
OPEN_TEST = True
### END SOLUTION

# %%
if OPEN_TEST:
    chosen = by_mine or by_torch
    test_right = 100 * float((chosen.scores(digits.x_test).argmax(axis=1) == digits.y_test).mean())
    print(f"{test_right:.1f} % of the test images right, by {'your functions' if by_mine else 'Torch'}.", end=" ")
    print("Target reached." if test_right >= 94 else "Note it down as it is.")

# %% [markdown]
# ### Twenty layers, with and without
#
# Now the comparison of the lesson, on the same batches: plain layers with Kaiming's weights, and layers with skips and
# a tenth of them, at three rates each (about 20 seconds). The picture shows the best run of each kind. **Predict** how
# far apart they are.

# %%
best_runs = {}
for name, skip_used, spread_used in (("with skips", True, 0.1), ("plain", False, 1.0)):
    tried = []
    for rate_tried in (0.03, 0.1, 0.3):
        tried.append(lab_run(Torchs(first_layers(20, spread_used), skip_used), rate_tried))
        print(f"{name}, rate {rate_tried}: {tried[-1]['validation'][-1]:.1f} % of the validation images")
    best_runs[name] = min((told["batches"] for told in tried), key=lambda losses: losses[-1])
plots.losses(best_runs, "Twenty layers, the best of three rates")

# %% [markdown]
# Given more time and a careful rate, twenty plain layers get somewhere; forty hardly do (section 1). And for digits
# four layers are enough. The point is that depth has become *harmless*: those who need it, for photographs and texts,
# can have it.

# %% [markdown]
# ### How fast?
#
# Last, the clock: one training step with a wide `ResNetSmall`, 32 channels and 64 images of 16 x 16 in float32. If
# your machine has a graphics card, Torch uses it here, and the same weights and images give the same loss, up to
# rounding.


# %%
def seconds_per_step(network, where, steps=4):
    """Loss of the first step, and the fastest of several steps; other programs only ever make a step slower."""
    torch.manual_seed(SEED)
    images, wanted = torch.randn(64, 1, 16, 16).to(where), (torch.arange(64) % 10).to(where)
    network, losses, spent = network.to(where).train(), [], []
    for _ in range(steps):
        begun = time.perf_counter()
        value = functional.cross_entropy(network(images), wanted)
        value.backward()
        losses.append(float(value.detach()))  # waits for the graphics card
        spent.append(time.perf_counter() - begun)
    return losses[0], min(spent)


# %%
if ready(ResNetSmall=ResNetSmall):
    torch.manual_seed(SEED)
    wide_network = ResNetSmall(width=32)
    loss_here, seconds_here = seconds_per_step(wide_network, "cpu")
    print(f"your ResNetSmall on the processor: {1000 * seconds_here:.0f} ms per step, loss {loss_here:.5f}")
    if DEVICE == "cuda":
        loss_there, seconds_there = seconds_per_step(wide_network, DEVICE)
        print(f"on {torch.cuda.get_device_name()}: {1000 * seconds_there:.1f} ms, loss {loss_there:.5f};", end=" ")
        print(f"{seconds_here / seconds_there:.0f} times as fast.")
    else:
        print("There is no graphics card here, so nothing is compared; the processor was enough for every cell.")

# %% [markdown]
# ## 15 · Open question
#
# *10 minutes, 3 points, read by a person.* **Your turn:** a residual network of 50 blocks ends with a *training* loss
# above that of the same network with 10 blocks. "It overfits," says your colleague, "50 blocks are too many." In eight
# to twelve sentences of your own: why is this not overfitting, what may be the cause, and how would you find out?
#
# **One point each:** (1) why it is not overfitting; (2) a cause, with a test for it; (3) a second cause, with another
# test.

# %% [markdown] nbgrader={"grade": true, "grade_id": "open_question_residual", "points": 3, "solution": true}
# Overfitting means that the training loss is low and the loss on new images is not. Here the training loss itself is
# worse. And a better solution exists: the deep network could do what the shallow one does in ten of its blocks and
# leave the other forty silent, so that they pass on their input. Training does not find it, so something is wrong with
# the training or the way is not free.
#
# First I would look for something on the way past the branches: a ReLU or a normalisation after the sum, a factor, a
# projection in every block. I would measure the gradient norm of every block before training. If it falls steadily
# towards the first block, something on the way past takes a share each time; I would take it away and measure again.
#
# Second, the branches may be too loud at the start. Then the variance of the values grows from block to block, which I
# would print for one batch. If it grows by a factor per block, I would set the last scale of each block to 0 or
# multiply the branches by a number near $1/\sqrt{50}$, and compare the training losses of both depths again. If neither
# helps, the rate may only suit the shallow network: I would let each depth choose among several.

# %% [markdown]
# ## Summary
#
# 1. Deeper plain networks are worse on their own training images: not overfitting, but descent that does not find a
#    way.
# 2. $y = x + F(x)$: the layer learns what is missing. Backwards both ways add up, $dx = dy + J^\top dy$: the
#    gradient stays level as long as the branches are small.
# 3. Keep the way past free: nothing behind the sum in pre-activation blocks; a projection, 1 x 1 with stride, only
#    where the shape changes.
# 4. Branches add variance, $(1 + s^2)^L$: start small, or with the last scale of each block at 0. Whole blocks can be
#    dropped in training: $x + m F(x)/(1 - p)$, in evaluation $x + F(x)$.
# 5. Judge a network by accuracy, parameters *and* operations. ResNet-18: 11,689,512 parameters, 18 layers, five
#    halvings.

# %% [markdown]
# **Conventions used.** The cache of `residual_forward` is `(f, inner)`; the branch is called once; the way back always
# returns a tuple. Projections have no bias, begin at pixel 0, and round sizes up. In pre-activation blocks nothing
# comes after the sum. Costs count convolutions without biases, one multiply-add as one operation. Norms are Euclidean,
# first layer first; the slope of the ReLU at 0 is 0. `p` is the probability to drop, one draw per example, scaled in
# training. A batch normalisation learns 2 numbers per channel. float32 in, float32 out. Inputs are never changed.

# %% [markdown]
# **Further reading.** He, Zhang, Ren and Sun, *Deep residual learning for image recognition* (2016), and *Identity
# mappings in deep residual networks* (2016). Veit, Wilber and Belongie, *Residual networks behave like ensembles of
# relatively shallow networks* (2016). Huang, Sun, Liu, Sedra and Weinberger, *Deep networks with stochastic depth*
# (2016). Goyal and others, *Accurate, large minibatch SGD* (2017), section 5.1. Balduzzi and others, *The shattered
# gradients problem* (2017). De and Smith, *Batch normalization biases residual blocks towards the identity function in
# deep networks* (2020).

# %% [markdown]
# **Next:** lesson 09 leaves images. A convolution that walks over words finds out which package a sentence comes from.
