"""Where things stand in the tables that `work` reads: places in an int64 array each.

One table describes a run, and has a row for each layer 1..L in another. "Where" is an address.
Plain numbers, for Numba compiles them fastest.
"""

from __future__ import annotations

# One run: the data, the buffers, and what is asked for.
LAYERS = 0
"""L."""
THREADS = 1
FIRST = 2
"""Step to begin with,"""
LAST = 3
"""and the one to end before."""
POINTS = 4
"""How many data points there are in all."""
BATCH = 5
"""Data points of a step."""
BLOCK = 6
"""Data points evaluated together: for so many there is room."""
CHUNK = 7
"""Data points of one job forward and backward."""
JOBS = 8
"""Pieces of θ, each one job of differentiation."""
MODE = 9
"""What is asked for, one of the numbers below."""
ORDER = 10
"""Where the indices of the data points stand, int64."""
GATHER_X = 11
"""Where the kernel is that gathers inputs; then its arguments."""
X_ROWS = 12
X_TO_ROW = 13
X_TO_COLUMN = 14
X_AFFINE = 15
GATHER_T = 16
T_ROWS = 17
T_TO_ROW = 18
T_TO_COLUMN = 19
T_AFFINE = 20
TARGETS = 21
"""Rows of T."""
A_0_AT = 22
"""Where A_0 stands."""
WANTED = 23
"""Where T stands."""
OMEGA = 24
"""Where ω stands."""
WEIGHTS = 25
"""Where the weights of all data points stand, float64, or 0 for equal ones."""
JUDGE = 26
"""Where the kernel of the error is,"""
JUDGE_PARAMETERS = 27
JUDGED = 28
"""and what it looks at: Z_L for a pair, else A_L."""
IS_PAIR = 29
THETA = 30
MEMORY = 31
STRIDE = 32
"""Numbers between rows of the memory."""
MOVE = 33
COEFFICIENTS = 34
COUNT = 35
"""Coefficients of a step."""
GRADIENT = 36
SCRATCH = 37
"""Room for a panel for each thread."""
PARTIALS = 38
"""J of the chunks, then R and |gradient| of the jobs, float64."""
RESULTS = 39
"""float64: Σ of J, |gradient| over the steps, scale of ω, longest gradient allowed."""
SYNC = 40
YIELD = 41
"""Where the system's function is that gives up the processor."""
PIECES = 42
"""Where the table of jobs stands: layer, first and last row."""
BOUNDS = 43
"""Where it is said which thread begins with which job."""
DROP = 44
"""Where the kernel of dropout is."""
OUTPUT = 45
"""Where A_L or Delta_0 of all data points goes, or Delta_0 of all outputs, one by one."""
LAST_STEP = 46
"""Steps of the whole epoch, of which a run may be a part."""
MULTIPLY = 47
"""Where the kernel of products is."""
NOTES = 48
"""How many jobs can note something."""
NARROW = 49
"""Where the kernel is of products with few columns."""
THREAD_BYTES = 50
"""The scratch of a thread."""
ONES = 51
"""Where a one stands."""
SIZE = 52
"""P."""
FACTORS = 53
"""Where U_k of all data points stand, k by k, S_L numbers for each point,"""
COUNT_FACTORS = 54
"""and how many k."""
ROWS_AT = 55
"""Where the rows u_nᵗ 𝒥_n of a block stand, P numbers each,"""
PANELS_AT = 56
"""and the same in panels."""
MATRIX = 57
"""Where G stands."""
MATRIX_PIECE = 58
"""Rows of G that are one job."""
CHUNK_GRADIENTS = 59
"""Where the gradient of each chunk alone stands, or 0 where there is only that of all,"""
CHUNK_STRIDE = 60
"""and the numbers from one to the next."""
WORLD_SIZE = 61

# One layer.
INPUTS = 0
UNITS = 1
OFFSET = 2
"""Of W_l in θ, in numbers; b_l follows it."""
RECEIVED = 3
"""Where the A_{l-1} that it receives stands, after dropout."""
BELOW = 4
"""Where A_{l-1} stands itself."""
Z_AT = 5
A_AT = 6
H_AT = 7
MIRROR = 8
"""Where W_lᵗ stands; 0 for layer 1, unless Delta_0 is asked for."""
ACTIVATE = 9
"""Where the kernel is; 0 for identity, whose A is Z."""
PULL = 10
PARAMETERS = 11
MASK = 12
"""Where the mask of what it receives stands, 0 without dropout."""
STATE = 13
"""Where the state of its dropout stands,"""
LIMIT = 14
"""and its threshold and factor."""
PENALIZE = 15
PENALTY = 16
PENALIZED = 17
"""Rows of W_l and b_l that are penalized: all inputs, and one more with biases."""
MIRROR_ROW = 18
"""Numbers from unit to unit of the mirror,"""
MIRROR_PANEL = 19
"""and from panel to panel of inputs."""
W_PANELS = 20
"""Where W_l stands in panels of units, or 0 to read it from θ."""
H_PANELS = 21
"""Where H_l of the data points that are evaluated together stands in panels, or 0,"""
H_PANEL = 22
"""and the numbers from panel to panel."""
LAYER_SIZE = 23

# What a run is asked for.
ONLY_SEEN = -2
"""Forward to what the error sees."""
ONLY_JACOBIAN = -1
"""Forward to A_L, and from each output by itself backward to Delta_0."""
ONLY_OUTPUTS = 0
"""Forward."""
ONLY_ERROR = 1
"""Forward, and Σ ω_n J_n."""
ONLY_INPUTS = 2
"""And backward to Delta_0."""
ONLY_GRADIENT = 3
"""Forward, backward and the gradient, all points as one step."""
STEPS = 4
"""And steps of a solver, each fused behind its piece of the gradient."""
CLIPPED_STEPS = 5
"""Steps that wait for the length of the gradient."""

# Counters in SYNC, each in a line of the cache; then for both phases one a thread.
ARRIVED = 0
STOP = 1
QUEUES = 2

LINE = 8
"""int64 in a line of the cache."""
