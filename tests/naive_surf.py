"""SURF in slow, obvious NumPy, written from the description of OpenCV's behaviour alone."""

import ctypes
import ctypes.util
import math

import numpy as np

f32 = np.float32


def rint(value):
    return int(np.rint(value))


def libm(name, value):
    """The C library's float32 function: NumPy's differs in the last bit now and then."""
    found = ctypes.util.find_library("m")
    if found is None:
        return f32(getattr(math, name[:-1])(float(value)))
    function = getattr(ctypes.CDLL(found), name)
    function.restype = ctypes.c_float
    function.argtypes = [ctypes.c_float]
    return f32(function(float(value)))


def integral(gray):
    table = np.zeros((gray.shape[0] + 1, gray.shape[1] + 1), np.int64)
    table[1:, 1:] = gray.astype(np.int64).cumsum(0).cumsum(1)
    return table.astype(np.int32)


def response(table, boxes, side, step):
    """One wavelet at every sample: boxes (x1, y1, x2, y2, weight) on the 9 x 9 template."""
    height, width = table.shape[0] - 1, table.shape[1] - 1
    rows, columns = (height - side) // step + 1, (width - side) // step + 1
    tick = [rint(f32(side) / f32(9) * f32(c)) for c in range(10)]
    total = np.zeros((rows, columns), np.float64)
    for x1, y1, x2, y2, weight in boxes:
        x1, y1, x2, y2 = tick[x1], tick[y1], tick[x2], tick[y2]

        def corner(y, x):
            return table[y : y + step * rows : step, x : x + step * columns : step][:rows, :columns]

        box = corner(y1, x1) + corner(y2, x2) - corner(y2, x1) - corner(y1, x2)
        total += box.astype(f32) * (f32(weight) / f32((x2 - x1) * (y2 - y1)))
    return total.astype(f32)


DX = [(0, 2, 3, 7, 1), (3, 2, 6, 7, -2), (6, 2, 9, 7, 1)]
DY = [(2, 0, 7, 3, 1), (2, 3, 7, 6, -2), (2, 6, 7, 9, 1)]
DXY = [(1, 1, 4, 4, 1), (5, 1, 8, 4, -1), (1, 5, 4, 8, -1), (5, 5, 8, 8, 1)]


def interpolate(n):
    """Newton's step from the 27 determinants n[s, y, x], or None."""
    v = n[1, 1, 1]
    bx = -(n[1, 1, 2] - n[1, 1, 0]) / f32(2)
    by = -(n[1, 2, 1] - n[1, 0, 1]) / f32(2)
    bs = -(n[2, 1, 1] - n[0, 1, 1]) / f32(2)
    xx = n[1, 1, 0] - f32(2) * v + n[1, 1, 2]
    yy = n[1, 0, 1] - f32(2) * v + n[1, 2, 1]
    ss = n[0, 1, 1] - f32(2) * v + n[2, 1, 1]
    xy = (n[1, 2, 2] - n[1, 2, 0] - n[1, 0, 2] + n[1, 0, 0]) / f32(4)
    xs = (n[2, 1, 2] - n[2, 1, 0] - n[0, 1, 2] + n[0, 1, 0]) / f32(4)
    ys = (n[2, 2, 1] - n[2, 0, 1] - n[0, 2, 1] + n[0, 0, 1]) / f32(4)
    det = xx * (yy * ss - ys * ys) - xy * (xy * ss - xs * ys) + xs * (xy * ys - xs * yy)
    if det == 0:
        return None
    r = f32(1) / det
    step = (
        r * (bx * (yy * ss - ys * ys) - xy * (by * ss - ys * bs) + xs * (by * ys - yy * bs)),
        r * (xx * (by * ss - ys * bs) - bx * (xy * ss - ys * xs) + xs * (xy * bs - by * xs)),
        r * (xx * (yy * bs - by * ys) - xy * (xy * bs - by * xs) + bx * (xy * ys - yy * xs)),
    )
    if all(d == 0 for d in step) or not all(abs(d) <= 1 for d in step):
        return None
    return step


def detect(gray, threshold, n_octaves, n_layers, mask=None):
    """Rows (x, y, size, response, octave, class_id) in OpenCV's order."""
    height, width = gray.shape
    table = integral(gray)
    mask_table = None if mask is None else integral((mask != 0).astype(np.uint8))
    found = []
    for octave in range(n_octaves):
        step = 1 << octave
        h, w = height // step, width // step
        dets, traces, sides = [], [], []
        for layer in range(n_layers + 2):
            side = (9 + 6 * layer) << octave
            det, trace = np.zeros((h, w), f32), np.zeros((h, w), f32)
            if side <= height and side <= width:
                dx, dy, dxy = (response(table, boxes, side, step) for boxes in (DX, DY, DXY))
                m = side // 2 // step
                inner = np.s_[m : m + dx.shape[0], m : m + dx.shape[1]]
                det[inner] = dx * dy - (f32(0.81) * dxy) * dxy
                trace[inner] = dx + dy
            dets.append(det)
            traces.append(trace)
            sides.append(side)
        for layer in range(1, n_layers + 1):
            margin = sides[layer + 1] // 2 // step + 1
            for i in range(margin, h - margin):
                for j in range(margin, w - margin):
                    v = dets[layer][i, j]
                    if not v > f32(threshold):
                        continue
                    n = np.array(
                        [d[i - 1 : i + 2, j - 1 : j + 2] for d in dets[layer - 1 : layer + 2]]
                    )
                    if (n >= v).sum() > 1:
                        continue
                    side = sides[layer]
                    if mask_table is not None:
                        m = side // 2 // step
                        y, x = step * (i - m), step * (j - m)
                        box = (
                            mask_table[y, x]
                            + mask_table[y + side, x + side]
                            - mask_table[y + side, x]
                            - mask_table[y, x + side]
                        )
                        if f32(box) * (f32(1) / f32(side * side)) < f32(0.5):
                            continue
                    offset = interpolate(n)
                    if offset is None:
                        continue
                    x = f32(step * j + (step - 1) / 2) + offset[0] * f32(step)
                    y = f32(step * i + (step - 1) / 2) + offset[1] * f32(step)
                    size = np.rint(f32(side) + offset[2] * f32(6 << octave))
                    sign = int(np.sign(traces[layer][i, j]))
                    if mask is None or mask[rint(y), rint(x)]:
                        found.append((x, y, size, v, octave, sign))
    return sorted(found, key=lambda k: (-k[3], -k[2], -k[4], -k[1], k[0]))


def arctangent(y, x, fused):
    scale = f32(180 / math.pi)
    p1, p3, p5, p7 = (
        f32(c) * scale
        for c in (0.9997878412794807, -0.3258083974640975, 0.1555786518463281, -0.04432655554792128)
    )
    ax, ay = abs(x), abs(y)
    c = min(ax, ay) / (max(ax, ay) + f32(2.220446e-16))
    q = c * c

    def multiply_add(a, b, d):
        return f32(float(a) * float(b) + float(d)) if fused else a * b + d

    a = multiply_add(multiply_add(multiply_add(p7, q, p5), q, p3), q, p1) * c
    if ax < ay:
        a = f32(90) - a
    if x < 0:
        a = f32(180) - a
    if y < 0:
        a = f32(360) - a
    return a


def gaussian(n, sigma):
    taps = [math.exp(-((i - (n - 1) / 2) ** 2) / (2 * sigma * sigma)) for i in range(n)]
    if n % 2 == 0:
        taps[n // 2 - 1] = taps[n // 2] = 1.0
    return np.array(np.array(taps) / sum(taps), f32)


def wavelets(gray, x, y, size):
    """Samples inside the picture: (a, b, left, top, vx, vy, weight, whole degrees)."""
    height, width = gray.shape
    table = integral(gray)
    s = (f32(size) * f32(1.2)) / f32(9)
    g = 2 * rint(f32(2) * s)
    taps = gaussian(13, 2.5)
    w = f32(1) / f32(max(1, g * g // 2))
    reach = f32(g - 1) / f32(2)
    samples = []
    for a in range(-6, 7):
        for b in range(-6, 7):
            left, top = rint(x + f32(a) * s - reach), rint(y + f32(b) * s - reach)
            if a * a + b * b > 36:
                continue
            if not (0 <= left < width + 1 - g and 0 <= top < height + 1 - g):
                continue

            def box(x1, y1, x2, y2, left=left, top=top):
                return f32(
                    int(table[top + y2, left + x2])
                    - int(table[top + y1, left + x2])
                    - int(table[top + y2, left + x1])
                    + int(table[top + y1, left + x1])
                )

            vx = f32(float(box(0, 0, g // 2, g) * -w) + float(box(g // 2, 0, g, g) * w))
            vy = f32(float(box(0, 0, g, g // 2) * w) + float(box(0, g // 2, g, g) * -w))
            weight = taps[a + 6] * taps[b + 6]
            phase = rint(arctangent(vy * weight, vx * weight, fused=True))
            samples.append((a, b, left, top, vx, vy, weight, phase))
    return samples


def sectors(samples):
    """Sums of the weighted responses around 0, 5, ..., 355 degrees."""
    sums = []
    for centre in range(0, 360, 5):
        sum_x = sum_y = f32(0)
        for *_, vx, vy, weight, phase in samples:
            if abs(phase - centre) < 30 or abs(phase - centre) > 330:
                sum_x, sum_y = sum_x + vx * weight, sum_y + vy * weight
        sums.append((sum_x, sum_y))
    return sums


def orientation(gray, x, y, size, upright):
    """Angle in degrees, or None where there is no room."""
    height, width = gray.shape
    g = 2 * rint(f32(2) * ((f32(size) * f32(1.2)) / f32(9)))
    if height + 1 < g or width + 1 < g:
        return None
    if upright:
        return f32(270)
    samples = wavelets(gray, x, y, size)
    if not samples:
        return None
    best = best_x = best_y = f32(0)
    for sum_x, sum_y in sectors(samples):
        if sum_x * sum_x + sum_y * sum_y > best:
            best, best_x, best_y = sum_x * sum_x + sum_y * sum_y, sum_x, sum_y
    return arctangent(-best_y, best_x, fused=False)


def sample_window(gray, x, y, size, angle, upright):
    height, width = gray.shape
    s = (f32(size) * f32(1.2)) / f32(9)
    win = int(f32(21) * s)
    off = -f32(win - 1) / f32(2)
    window = np.zeros((win, win), np.uint8)
    if upright:
        x1, y1 = rint(f32(x) + off), rint(f32(y) - off)
        for i in range(win):
            for j in range(win):
                window[i, j] = gray[min(max(y1 - j, 0), height - 1), min(max(x1 + i, 0), width - 1)]
        return window
    theta = f32(angle) * f32(math.pi / 180)
    c, n = libm("cosf", theta), -libm("sinf", theta)
    start_x = f32(x) + off * c + off * n
    start_y = f32(y) - off * n + off * c
    for i in range(win):
        px, py = float(start_x), float(start_y)
        for j in range(win):
            ix, iy = math.floor(px), math.floor(py)
            if 0 <= ix < width - 1 and 0 <= iy < height - 1:
                a, b = f32(px - ix), f32(py - iy)
                p = gray[iy : iy + 2, ix : ix + 2].astype(f32)
                one = f32(1)
                value = (
                    p[0, 0] * (one - a) * (one - b)
                    + p[0, 1] * a * (one - b)
                    + p[1, 0] * (one - a) * b
                    + p[1, 1] * a * b
                )
                window[i, j] = rint(value)
            else:
                window[i, j] = gray[
                    min(max(rint(py), 0), height - 1), min(max(rint(px), 0), width - 1)
                ]
            px, py = px + float(c), py - float(n)
        start_x, start_y = start_x + n, start_y + c
    return window


def area_weights(win):
    """For each of 21 cells, pixels and float32 weights in rising order."""
    scale = 1 / (21 / win)
    cells = []
    for d in range(21):
        a, e = d * scale, d * scale + scale
        cell = min(scale, win - a)
        s2 = min(math.floor(e), win - 1)
        s1 = min(math.ceil(a), s2)
        entries = []
        if s1 - a > 1e-3:
            entries.append((s1 - 1, f32((s1 - a) / cell)))
        entries += [(p, f32(1 / cell)) for p in range(s1, s2)]
        if e - s2 > 1e-3:
            entries.append((s2, f32(min(min(e - s2, 1), cell) / cell)))
        cells.append(entries)
    return cells


def shrink(window):
    win = len(window)
    scale = 1 / (21 / win)
    k = round(scale)
    patch = np.zeros((21, 21), np.int64)
    if abs(scale - k) < np.finfo(float).eps:
        for i in range(21):
            for j in range(21):
                total = int(window[i * k : i * k + k, j * k : j * k + k].sum(dtype=np.int64))
                if k == 2:
                    patch[i, j] = (total + 2) >> 2
                else:
                    patch[i, j] = rint(f32(total) * (f32(1) / f32(k * k)))
        return patch
    cells = area_weights(win)
    along = np.zeros((win, 21), f32)
    for d, entries in enumerate(cells):
        for pixel, weight in entries:
            along[:, d] += window[:, pixel].astype(f32) * weight
    for d, entries in enumerate(cells):
        total = along[entries[0][0]] * entries[0][1]
        for pixel, weight in entries[1:]:
            total = total + along[pixel] * weight
        patch[d] = np.clip(np.rint(total), 0, 255)
    return patch


def cell_sums(patch, extended):
    """The sums of 4 x 4 cells, one after the other, before they are divided by their length."""
    taps = gaussian(20, float(f32(3.3)))
    cells = []
    for cell_y in range(4):
        for cell_x in range(4):
            sums = [f32(0)] * (8 if extended else 4)
            for i in range(5 * cell_y, 5 * cell_y + 5):
                for j in range(5 * cell_x, 5 * cell_x + 5):
                    p = patch[i : i + 2, j : j + 2].astype(int)
                    weight = taps[i] * taps[j]
                    vx = f32(p[0, 1] - p[0, 0] + p[1, 1] - p[1, 0]) * weight
                    vy = f32(p[1, 0] - p[0, 0] + p[1, 1] - p[0, 1]) * weight
                    if extended:
                        at = 0 if vy >= 0 else 2
                        sums[at] += vx
                        sums[at + 1] += abs(vx)
                        at = 4 if vx >= 0 else 6
                        sums[at] += vy
                        sums[at + 1] += abs(vy)
                    else:
                        sums[0] += vx
                        sums[1] += vy
                        sums[2] += abs(vx)
                        sums[3] += abs(vy)
            cells += sums
    return cells


def describe_patch(patch, extended):
    cells = cell_sums(patch, extended)
    square = sum(float(value * value) for value in cells)
    return np.array(cells, f32) * f32(1 / (math.sqrt(square) + 1.1920929e-7))


def extract(
    gray, threshold=400.0, n_octaves=4, n_layers=3, extended=True, upright=False, mask=None
):
    """Rows (x, y, size, angle, response, octave, class_id), and descriptors."""
    rows, descriptors = [], []
    for x, y, size, value, octave, sign in detect(gray, threshold, n_octaves, n_layers, mask):
        angle = orientation(gray, x, y, size, upright)
        if angle is None:
            continue
        window = sample_window(gray, x, y, size, angle, upright)
        rows.append((x, y, size, angle, value, octave, sign))
        descriptors.append(describe_patch(shrink(window), extended))
    n = 128 if extended else 64
    return np.array(rows).reshape(-1, 7), np.array(descriptors, f32).reshape(-1, n)
