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
# # Welcome
#
# In this course you write neural networks yourself: small functions, checked the moment you finish them, and something
# to move in every section. You start now. In five minutes your first neuron decides who gets into a school. Nothing on
# this page is marked, and nothing can break.
#
# This page is a **notebook**. The grey boxes are code. Click into the next one and press **Shift + Enter**: the code
# runs, and you move on to the next box.

# %%
from IPython.display import display

from course_lib import check, progress, ready
from course_lib.environment import environment
from course_lib.plots import welcome as plots
from course_lib.widgets.neuron import DecisionBoundary

print("It runs. Hello!")

# %% [markdown]
# ## 1 · Move something
#
# *One minute.* Twelve pupils want to get into a school. Squares were admitted, circles were not. One **neuron** has to
# find out the rule: on its hatched side it says yes. So far it is far too generous.
#
# Run the box. Guess first, that wakes the sliders up. Then move **only the lowest one, $b$,** until nobody has a
# dashed ring. The arrow keys work, too.

# %%
school = DecisionBoundary("admission", w=(1.0, 0.5), b=-8.0)
display(school)

# %% [markdown]
# ## 2 · Write it yourself
#
# *Three minutes.* What you just moved is a very small formula. Each mark gets a weight, and the bias $b$ is added:
#
# $$\text{score} = w_1 \cdot \text{maths} + w_2 \cdot \text{physics} + b.$$
#
# Yes means: the score is above 0. With weights 1 and 0.5 and $b = -16$, somebody with 14 in maths and 8 in physics has
# the score $14 + 4 - 16 = 2$. Welcome to the school.

# %% [markdown]
# **Your turn: `admit`.** Three lines, for all pupils at once: `maths` and `physics` hold one mark per pupil, and NumPy
# multiplies, adds and compares whole arrays. Replace the line `raise NotImplementedError()` by yours and run the box.


# %% nbgrader={"grade": false, "grade_id": "admit", "solution": true}
def admit(maths, physics, w1, w2, b):
    """Does the neuron say yes?

    Args:
        maths, physics: marks, one per pupil, arrays of shape (N,).
        w1, w2: weight of maths, weight of physics.
        b: bias, a number.

    Returns:
        yes: True or False per pupil, array of shape (N,).
    """
    ### BEGIN SOLUTION
    score = w1 * maths + w2 * physics
    score = score + b
    return score > 0
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: where to start</summary>
#
# Begin with `score = ...` and copy the formula. `*` multiplies.
#
# <details><summary>Hint 2: yes or no</summary>
#
# `score > 0` compares every pupil's score at once, and gives True or False for each. No `if` is needed.
#
# <details><summary>Hint 3: almost the answer</summary>
#
# `score = w1 * maths + w2 * physics`, then add `b`, then `return score > 0`.
# </details>
# </details>
# </details>

# %% [markdown]
# Is it right? Run the next box and see. If not, it says where, and often why. Being wrong first is normal and costs
# nothing. (Curious? Forget the $b$ on purpose.)

# %% nbgrader={"grade": true, "grade_id": "check_admit", "points": 1, "solution": false}
check("admit", admit)

# %% [markdown]
# ## 3 · See what you made
#
# A green check? Then *your* function now draws this picture: it is asked about 40,000 pairs of marks, with the line
# that you left in the look above. Go back, turn the line with another slider, and run this box again.

# %%
if ready(admit=admit):
    display(plots.drawn_by(admit, school.points, school))

# %% [markdown]
# That is a neuron. A network is many of them, each looking at what others said. And they need nobody to move the
# sliders: finding $w_1$, $w_2$ and $b$ from examples is what learning means. Everything in this course grows out of
# that.

# %% [markdown]
# ## 4 · Is this computer ready?
#
# The box looks around and changes nothing. Where something is not well, it says what to do.

# %%
environment()

# %% [markdown]
# ## 5 · Where next
#
# - **[Lesson 01 · XOR and the multilayer perceptron](../01_xor_mlp/01_xor_mlp.ipynb)** begins where you are now: with
#   this neuron, and with what it cannot do.
# - There are nine lessons of three to four hours each, in sittings of about an hour. Every lesson says what it builds
#   on.
# - Stuck? Hints open one by one. A check that fails costs nothing.
#
# What you have done so far, and what comes next, stands here. The same box works in every lesson.

# %%
progress()

# %% [markdown]
# | Keys | What they do |
# |---|---|
# | **Shift + Enter** | run this box, go to the next |
# | **Ctrl + Enter** | run this box, stay here |
# | **Esc**, then **B** | a new box below, for anything you want to try |
# | **Ctrl + S** | save; your answers are kept |
