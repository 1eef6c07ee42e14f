"""The order of an epoch, computed from src/plan/ORDER.md alone: which sample stands at which position."""

WORD = 2**64 - 1


def sample_hash(number):
    z = (number + 0x9E3779B97F4A7C15) & WORD
    z = ((z ^ z >> 33) * 0xFF51AFD7ED558CCD) & WORD
    z = ((z ^ z >> 33) * 0xC4CEB9FE1A85EC53) & WORD
    return z ^ z >> 33


def fnv1a(text):
    state = 0xCBF29CE484222325
    for byte in text.encode():
        state = ((state ^ byte) * 0x100000001B3) & WORD
    return state


def splitmix(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & WORD
        z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & WORD
        yield z ^ z >> 31


def epoch_key(seed, stream, epoch):
    return sample_hash((sample_hash(sample_hash(seed) ^ fnv1a(stream)) + epoch) & WORD)


def permutation(n, key, rounds=8):
    """The list of what positions 0 .. n-1 go to."""
    bits = max(8, (n - 1).bit_length())
    mask, half = 2**bits - 1, (bits + 1) // 2
    keys = splitmix(next(splitmix(key)))
    steps = [(next(keys) | 1, next(keys)) for _ in range(rounds)]

    def once(x):
        for multiply, add in steps:
            x = (x * multiply + add) & mask
            x ^= x >> half
        return x

    def walk(x):
        x = once(x)
        while x >= n:
            x = once(x)
        return x

    return [walk(p) for p in range(n)]


def epoch_order(n, seed=0, stream="train", epoch=0):
    return permutation(n, epoch_key(seed, stream, epoch))


def draw_counts(cells, wanted, seed=0, stream="train", epoch=0):
    """How often each sample comes in an epoch: cells[i] is its cell's number (-1: none), wanted[cell] how many are wanted."""
    counts = [0] * len(cells)
    for cell, want in wanted.items():
        members = [i for i, other in enumerate(cells) if other == cell]
        if not members:
            continue
        places = permutation(len(members), sample_hash((epoch_key(seed, stream + "/draw", 0) + cell) & WORD))
        all_times, more = divmod(want, len(members))
        for sample, place in zip(members, places, strict=True):
            counts[sample] = all_times + ((place - epoch * more) % len(members) < more)
    return counts


def drawn_order(counts, seed=0, stream="train", epoch=0):
    """The samples of an epoch, position by position."""
    copies = [sample for sample, count in enumerate(counts) for _ in range(count)]
    return [copies[ordinal] for ordinal in epoch_order(len(copies), seed, stream, epoch)]


def shuffled(count, key):
    """0 .. count-1, as Fisher and Yates draw them."""
    items = list(range(count))
    for left in range(count, 1, -1):
        drawn = sample_hash((key + left) & WORD) * left >> 64
        items[left - 1], items[drawn] = items[drawn], items[left - 1]
    return items


def windows_of_epoch(first_ordinals, blocks_a_window, seed=0, stream="train", epoch=0):
    """The blocks of each window: those with ordinals first_ordinals[b] .. first_ordinals[b + 1] - 1."""
    filled = [b for b in range(len(first_ordinals) - 1) if first_ordinals[b] < first_ordinals[b + 1]]
    count = -(-len(filled) // blocks_a_window)
    runs = -(-len(filled) // count)
    windows = [[] for _ in range(count)]
    h = sample_hash(epoch_key(seed, stream, epoch) ^ WORD)
    for k, block in enumerate(filled):
        run, slot = divmod(k * runs * count // len(filled), count)
        windows[shuffled(count, sample_hash((h + run) & WORD))[slot]].append(block)
    return windows


def windowed_order(first_ordinals, blocks_a_window, seed=0, stream="train", epoch=0):
    """The ordinal of each position of an epoch that is shuffled in windows."""
    key = epoch_key(seed, stream, epoch)
    windows = windows_of_epoch(first_ordinals, blocks_a_window, seed, stream, epoch)
    if len(windows) == 1:
        return permutation(first_ordinals[-1], key)
    order = []
    for number, blocks in enumerate(windows):
        rows = [row for b in blocks for row in range(first_ordinals[b], first_ordinals[b + 1])]
        own = sample_hash((sample_hash(sample_hash(key ^ WORD)) + number) & WORD)
        order += [rows[place] for place in permutation(len(rows), own)]
    return order


def early_windows(blocks, seed=0, most=8):
    """The blocks of each window in which files are read while epoch 0 is delivered (start = early): of all streams."""
    count = max(1, min(most, blocks))
    runs = -(-blocks // count)
    windows = [[] for _ in range(count)]
    h = sample_hash(epoch_key(seed, "", 0) ^ WORD)
    for k in range(blocks):
        run, slot = divmod(k * runs * count // blocks, count)
        windows[shuffled(count, sample_hash((h + run) & WORD))[slot]].append(k)
    return windows


def early_order(first_ordinals, seed=0, stream="train", epoch=0, most=8):
    """The ordinal of each position of an epoch of a service with start = early."""
    key = epoch_key(seed, stream, epoch)
    windows = early_windows(len(first_ordinals) - 1, seed, most)
    if epoch > 0 or len(windows) == 1:
        return permutation(first_ordinals[-1], key)
    order = []
    for number, blocks in enumerate(windows):
        rows = [row for b in blocks for row in range(first_ordinals[b], first_ordinals[b + 1])]
        own = sample_hash((sample_hash(sample_hash(key ^ WORD)) + number) & WORD)
        order += [rows[place] for place in permutation(len(rows), own)] if rows else []
    return order
