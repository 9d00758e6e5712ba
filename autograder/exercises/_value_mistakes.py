"""What learners write for the class `Value` and get wrong; each stands alone, as in a notebook."""

from __future__ import annotations


class _value__overwrites:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        upstream = {node: 0.0 for node in order} | {self: 1.0}
        for node in reversed(order):
            node.grad += upstream[node]
            for parent, slope in node.parents:
                upstream[parent] = slope * upstream[node]


class _value__stale:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


class _value__without_order:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        self.grad, waiting = 1.0, [self]
        while waiting:
            node = waiting.pop()
            for parent, slope in node.parents:
                parent.grad += slope * node.grad
                waiting.append(parent)


class _value__starts_afresh:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


class _value__starts_at_zero:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


class _value__factors_swapped:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, self.data), (other, other.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        upstream = {node: 0.0 for node in order} | {self: 1.0}
        for node in reversed(order):
            node.grad += upstream[node]
            for parent, slope in node.parents:
                upstream[parent] += slope * upstream[node]


class _value__no_gate:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, 1.0))

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        upstream = {node: 0.0 for node in order} | {self: 1.0}
        for node in reversed(order):
            node.grad += upstream[node]
            for parent, slope in node.parents:
                upstream[parent] += slope * upstream[node]


class _value__on_at_zero:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data >= 0)))

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        upstream = {node: 0.0 for node in order} | {self: 1.0}
        for node in reversed(order):
            node.grad += upstream[node]
            for parent, slope in node.parents:
                upstream[parent] += slope * upstream[node]


class _value__inputs_first:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in order:
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


class _value__too_early:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        order, found = [], [self]
        while found:
            node = found.pop(0)
            if node not in order:
                order.append(node)
                found += [parent for parent, _ in node.parents]
        upstream = {node: 0.0 for node in order} | {self: 1.0}
        for node in order:
            node.grad += upstream[node]
            for parent, slope in node.parents:
                upstream[parent] += slope * upstream[node]
