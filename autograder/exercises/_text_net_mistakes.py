"""Wrong versions of `TextCNN`, each with one thing wrong; functions, so that Torch is imported when one is made."""

from __future__ import annotations


def _text_cnn__no_mask(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer in self.convolutions:
                features.append(layer(x).relu().amax(dim=2))
            return self.dense(self.dropout(torch.cat(features, dim=1)))

    return Net()


def _text_cnn__plain_list(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = [torch.nn.Conv1d(dim, filters, width) for width in widths]
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append((answers * mask[:, None]).amax(dim=2))
            return self.dense(self.dropout(torch.cat(features, dim=1)))

    return Net()


def _text_cnn__reshaped(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).reshape(len(ids), -1, ids.shape[1])
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append((answers * mask[:, None]).amax(dim=2))
            return self.dense(self.dropout(torch.cat(features, dim=1)))

    return Net()


def _text_cnn__no_relu(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x)
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append(answers.masked_fill(~mask[:, None], -torch.inf).amax(dim=2))
            return self.dense(self.dropout(torch.cat(features, dim=1)))

    return Net()


def _text_cnn__probabilities(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append((answers * mask[:, None]).amax(dim=2))
            return self.dense(self.dropout(torch.cat(features, dim=1))).softmax(dim=1)

    return Net()


def _text_cnn__mean_over_time(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append((answers * mask[:, None]).sum(dim=2) / mask.sum(dim=1, keepdim=True))
            return self.dense(self.dropout(torch.cat(features, dim=1)))

    return Net()


def _text_cnn__always_drops(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append((answers * mask[:, None]).amax(dim=2))
            return self.dense(torch.nn.functional.dropout(torch.cat(features, dim=1), p))

    return Net()


def _text_cnn__never_drops(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append((answers * mask[:, None]).amax(dim=2))
            return self.dense(torch.cat(features, dim=1))

    return Net()


def _text_cnn__drops_words(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.dropout(self.embedding(ids)).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append((answers * mask[:, None]).amax(dim=2))
            return self.dense(torch.cat(features, dim=1))

    return Net()


def _text_cnn__reversed_widths(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                mask[:, 0] = True
                features.append((answers * mask[:, None]).amax(dim=2))
            return self.dense(self.dropout(torch.cat(features[::-1], dim=1)))

    return Net()


def _text_cnn__short_texts_lost(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(words, dim)
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv1d(dim, filters, width) for width in widths)
            self.dropout = torch.nn.Dropout(p)
            self.dense = torch.nn.Linear(filters * len(widths), classes)

        def forward(self, ids):
            x = self.embedding(ids).transpose(1, 2)
            features = []
            for layer, width in zip(self.convolutions, widths, strict=True):
                answers = layer(x).relu()
                mask = ids[:, width - 1 :] != 0
                features.append((answers * mask[:, None]).amax(dim=2))
            return self.dense(self.dropout(torch.cat(features, dim=1)))

    return Net()
