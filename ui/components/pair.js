// Two pictures on one canvas, their matches as lines between them. Wheel, pinch, drag and keys move
// a picture; where a map is known the other follows. A click or n and p choose a match.
const pairs = new WeakMap()
const GAP = 14
const NARROW = 560 // below it the pictures stand one above the other
const COUNTS = 0

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const box = parentElement.querySelector(".pair")
  const canvas = box.querySelector("canvas")
  const tip = box.querySelector(".tip")
  const told = box.querySelector(".state")
  const paintButton = box.querySelector("[data-do=paint]")
  const signature = `${data.left.url} ${data.right.url}`
  let view = pairs.get(box)
  if (!view || view.signature !== signature) {
    view = { signature, paint: false, panes: [], chosen: null, known: null }
    for (const side of [data.left, data.right]) {
      const pane = { zoom: 1, x: side.width / 2, y: side.height / 2, image: new Image() }
      pane.image.onload = () => view.draw && view.draw()
      pane.image.src = side.url
      view.panes.push(pane)
    }
    pairs.set(box, view)
  }
  const sides = [data.left, data.right]
  view.panes.forEach((pane, i) => { pane.width = sides[i].width; pane.height = sides[i].height })
  canvas.setAttribute("role", "img") // with its name at once: an image without one is a fault
  canvas.setAttribute("aria-label", data.label)
  paintButton.hidden = !data.paints
  if (view.known !== data.chosen) view.chosen = view.known = data.chosen

  // Where each picture stands on the canvas, in CSS pixels.
  function lay() {
    const width = canvas.clientWidth
    const stacked = width < NARROW
    const room = stacked ? width : (width - GAP) / 2
    const most = Math.max(240, window.innerHeight * 0.62)
    const heights = sides.map((side) => Math.min((room * side.height) / side.width, most))
    const tall = Math.max(...heights)
    view.panes.forEach((pane, i) => {
      pane.left = stacked ? 0 : i * (room + GAP)
      pane.top = stacked ? i * (heights[0] + GAP) : 0
      pane.across = room
      pane.down = stacked ? heights[i] : tall
      pane.fit = Math.min(room / pane.width, pane.down / pane.height)
    })
    return stacked ? heights[0] + GAP + heights[1] : tall
  }
  const scaleOf = (pane) => pane.fit * pane.zoom
  const toScreen = (pane, x, y) => [
    (x + 0.5 - pane.x) * scaleOf(pane) + pane.left + pane.across / 2,
    (y + 0.5 - pane.y) * scaleOf(pane) + pane.top + pane.down / 2,
  ]
  const toPicture = (pane, mx, my) => [
    (mx - pane.left - pane.across / 2) / scaleOf(pane) + pane.x - 0.5,
    (my - pane.top - pane.down / 2) / scaleOf(pane) + pane.y - 0.5,
  ]
  const holds = (pane, mx, my) =>
    mx >= pane.left && mx <= pane.left + pane.across && my >= pane.top && my <= pane.top + pane.down
  const at = (mx, my) => view.panes.find((pane) => holds(pane, mx, my)) ?? null
  function clamp(pane) {
    pane.zoom = Math.min(40, Math.max(1, pane.zoom))
    const halfX = Math.min(pane.width / 2, pane.across / 2 / scaleOf(pane))
    const halfY = Math.min(pane.height / 2, pane.down / 2 / scaleOf(pane))
    pane.x = Math.min(pane.width - halfX, Math.max(halfX, pane.x))
    pane.y = Math.min(pane.height - halfY, Math.max(halfY, pane.y))
  }

  // The other picture shows the same place, as large.
  function follow(pane) {
    if (!data.affine) return
    const [a, b, c, d, e, f] = data.affine
    const determinant = a * e - b * d
    const [query, picture] = view.panes
    const factor = Math.sqrt(Math.abs(determinant))
    if (pane === query) {
      picture.x = a * query.x + b * query.y + c
      picture.y = d * query.x + e * query.y + f
      picture.zoom = scaleOf(query) / factor / picture.fit
    } else {
      const [u, v] = [picture.x - c, picture.y - f]
      query.x = (e * u - b * v) / determinant
      query.y = (a * v - d * u) / determinant
      query.zoom = (scaleOf(picture) * factor) / query.fit
    }
    if (pane.zoom <= 1.001) for (const one of view.panes) reset(one)
    view.panes.forEach(clamp)
  }
  function reset(pane) { pane.zoom = 1; pane.x = pane.width / 2; pane.y = pane.height / 2 }

  const ends = (match) => [
    toScreen(view.panes[0], match[0], match[1]), toScreen(view.panes[1], match[4], match[5]),
  ]
  const isLit = (match) => data.lit === null || match[10] === data.lit
  const isSeen = (match) => {
    const [from, to] = ends(match)
    return holds(view.panes[0], ...from) && holds(view.panes[1], ...to)
  }

  function spot(context, pane, [x, y, size, angle], colour, width, cross) {
    const [px, py] = toScreen(pane, x, y)
    if (!holds(pane, px, py)) return
    context.beginPath()
    context.setLineDash([])
    if (cross) {
      context.moveTo(px - 4, py - 4); context.lineTo(px + 4, py + 4)
      context.moveTo(px + 4, py - 4); context.lineTo(px - 4, py + 4)
    } else {
      const radius = Math.max(3, (size / 2) * scaleOf(pane))
      const turn = (angle * Math.PI) / 180
      context.arc(px, py, radius, 0, 2 * Math.PI)
      context.moveTo(px, py)
      context.lineTo(px + radius * Math.cos(turn), py + radius * Math.sin(turn))
    }
    for (const [stroke, line] of [["rgba(20,20,20,0.75)", width + 1.8], [colour, width]]) {
      context.strokeStyle = stroke
      context.lineWidth = line
      context.stroke()
    }
  }

  function line(context, match, colour, width) {
    const [from, to] = ends(match)
    for (const [stroke, wide] of [["rgba(20,20,20,0.55)", width + 1.4], [colour, width]]) {
      context.beginPath()
      context.setLineDash(match[9] === COUNTS ? [] : [5, 5])
      context.moveTo(...from)
      context.lineTo(...to)
      context.strokeStyle = stroke
      context.lineWidth = wide
      context.stroke()
    }
  }

  function draw() {
    const width = canvas.clientWidth
    if (!width) return
    const height = Math.round(lay())
    const dense = window.devicePixelRatio || 1
    if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
      canvas.style.height = `${height}px`
      canvas.width = Math.round(width * dense)
      canvas.height = Math.round(height * dense)
    }
    view.panes.forEach(clamp)
    box.dataset.zoom = view.panes.map((pane) => pane.zoom.toFixed(2)).join(" ")
    canvas.style.touchAction = view.paint || view.panes.some((pane) => pane.zoom > 1) ? "none" : "pan-y"
    const context = canvas.getContext("2d")
    context.setTransform(dense, 0, 0, dense, 0, 0)
    context.clearRect(0, 0, width, height)
    view.panes.forEach((pane) => {
      context.save()
      context.beginPath()
      context.rect(pane.left, pane.top, pane.across, pane.down)
      context.clip()
      context.imageSmoothingEnabled = scaleOf(pane) < 4
      const [left, top] = toScreen(pane, -0.5, -0.5)
      if (pane.image.complete && pane.image.naturalWidth) {
        context.drawImage(pane.image, left, top, pane.width * scaleOf(pane), pane.height * scaleOf(pane))
      }
      context.restore()
    })
    for (const area of data.hidden) cover(context, area)
    if (view.rectangle) cover(context, view.rectangle)
    const seen = data.matches.filter(isSeen)
    for (const lit of [false, true]) {
      context.globalAlpha = lit ? 1 : 0.15
      // What counts lies on top.
      for (const counts of [false, true]) {
        for (const match of seen) {
          if (isLit(match) !== lit || (match[9] === COUNTS) !== counts) continue
          const colour = counts ? "#4fe3b5" : "#ffa27a"
          line(context, match, colour, counts ? 1.4 : 1)
          spot(context, view.panes[0], match.slice(0, 4), colour, 1.3, !counts)
          spot(context, view.panes[1], match.slice(4, 8), colour, 1.3, !counts)
        }
      }
    }
    context.globalAlpha = 1
    data.points.forEach((points, i) => {
      for (const point of points) spot(context, view.panes[i], point, "#ffd23c", 1.4, false)
    })
    const match = view.chosen === null ? undefined : data.matches[view.chosen]
    if (match && isSeen(match)) {
      line(context, match, "#ffffff", 3)
      spot(context, view.panes[0], match.slice(0, 4), "#ffffff", 2.4, false)
      spot(context, view.panes[1], match.slice(4, 8), "#ffffff", 2.4, false)
    }
  }
  view.draw = draw

  // A part of the query that is left out, hatched.
  function cover(context, [x0, y0, x1, y1]) {
    const pane = view.panes[0]
    const [left, top] = toScreen(pane, x0 - 0.5, y0 - 0.5)
    const [right, bottom] = toScreen(pane, x1 - 0.5, y1 - 0.5)
    context.save()
    context.beginPath()
    context.rect(pane.left, pane.top, pane.across, pane.down)
    context.clip()
    context.beginPath()
    context.rect(left, top, right - left, bottom - top)
    context.clip()
    context.fillStyle = "rgba(60,60,60,0.82)"
    context.fillRect(left, top, right - left, bottom - top)
    context.strokeStyle = "rgba(255,255,255,0.55)"
    context.setLineDash([])
    context.lineWidth = 1
    context.beginPath()
    for (let i = left - (bottom - top); i < right; i += 9) {
      context.moveTo(i, bottom)
      context.lineTo(i + (bottom - top), top)
    }
    context.stroke()
    context.restore()
  }

  function nearest(mx, my) {
    let best = -1
    let least = 9
    data.matches.forEach((match, i) => {
      if (!isLit(match) || !isSeen(match)) return
      const [[ax, ay], [bx, by]] = ends(match)
      const length = (bx - ax) ** 2 + (by - ay) ** 2
      const along = length ? Math.min(1, Math.max(0, ((mx - ax) * (bx - ax) + (my - ay) * (by - ay)) / length)) : 0
      const distance = Math.hypot(ax + along * (bx - ax) - mx, ay + along * (by - ay) - my)
      if (distance < least) [least, best] = [distance, i]
    })
    return best
  }
  const describe = (i) => data.told[i]
  // Marked at once: whoever steps on does not wait for the page.
  function choose(i) {
    view.chosen = i
    draw()
    setTriggerValue("picked", i)
  }

  function zoomAt(pane, factor, mx, my) {
    const [x, y] = toPicture(pane, mx, my)
    pane.zoom = Math.min(40, Math.max(1, pane.zoom * factor))
    pane.x = x + 0.5 - (mx - pane.left - pane.across / 2) / scaleOf(pane)
    pane.y = y + 0.5 - (my - pane.top - pane.down / 2) / scaleOf(pane)
    clamp(pane)
    follow(pane)
    draw()
  }
  const middle = (factor) => {
    const pane = view.panes[0]
    zoomAt(pane, factor, pane.left + pane.across / 2, pane.top + pane.down / 2)
    if (!data.affine) {
      view.panes[1].zoom *= factor
      draw()
    }
  }
  const place = (event) => {
    const rect = canvas.getBoundingClientRect()
    return [event.clientX - rect.left, event.clientY - rect.top]
  }

  canvas.onwheel = (event) => {
    const pane = at(...place(event))
    if (!pane) return
    // A plain wheel scrolls the page until a picture has been zoomed by a key or button.
    if (!event.ctrlKey && pane.zoom <= 1 && (event.deltaY > 0 || parentElement.activeElement !== canvas)) return
    event.preventDefault()
    zoomAt(pane, Math.exp(-event.deltaY / 300), ...place(event))
  }

  const fingers = new Map()
  let moved = 0
  let held = null
  canvas.onpointerdown = (event) => {
    canvas.focus({ preventScroll: true })
    canvas.setPointerCapture(event.pointerId)
    fingers.set(event.pointerId, place(event))
    moved = 0
    held = at(...place(event))
    if (view.paint && held === view.panes[0]) {
      view.from = toPicture(held, ...place(event))
      view.rectangle = null
    }
  }
  canvas.onpointermove = (event) => {
    const now = place(event)
    const last = fingers.get(event.pointerId)
    if (!last) {
      const i = view.paint ? -1 : nearest(...now)
      tip.hidden = i < 0
      canvas.style.cursor = view.paint ? "crosshair" : i < 0 ? "grab" : "pointer"
      if (i >= 0) {
        tip.textContent = describe(i)
        tip.style.left = `${Math.max(0, Math.min(now[0] + 12, canvas.clientWidth - tip.offsetWidth))}px`
        tip.style.top = `${Math.max(0, now[1] - 34)}px`
      }
      return
    }
    moved += Math.abs(now[0] - last[0]) + Math.abs(now[1] - last[1])
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, where]) => where)
    if (view.paint && view.from && !others.length) {
      const [x, y] = toPicture(view.panes[0], ...now)
      view.rectangle = inside([Math.min(x, view.from[0]), Math.min(y, view.from[1]),
        Math.max(x, view.from[0]), Math.max(y, view.from[1])])
      draw()
    } else if (held && others.length) {
      const span = (where) => Math.hypot(where[0] - others[0][0], where[1] - others[0][1])
      zoomAt(held, span(now) / Math.max(1, span(last)), (now[0] + others[0][0]) / 2, (now[1] + others[0][1]) / 2)
    } else if (held && held.zoom > 1) {
      held.x -= (now[0] - last[0]) / scaleOf(held)
      held.y -= (now[1] - last[1]) / scaleOf(held)
      clamp(held)
      follow(held)
      draw()
    }
    fingers.set(event.pointerId, now)
  }
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    const single = fingers.size === 1
    fingers.delete(event.pointerId)
    if (view.paint && view.from) {
      view.from = null
      if (event.type === "pointerup" && moved > 8) paint()
      else { view.rectangle = null; draw() }
      return
    }
    if (event.type === "pointerup" && single && moved < 6) {
      const i = nearest(...place(event))
      if (i >= 0) choose(i)
    }
  }
  canvas.onpointerleave = () => { tip.hidden = true }

  const inside = ([x0, y0, x1, y1]) => [
    Math.max(0, Math.round(x0)), Math.max(0, Math.round(y0)),
    Math.min(data.left.width, Math.round(x1)), Math.min(data.left.height, Math.round(y1)),
  ]
  function paint() {
    const area = view.rectangle
    view.rectangle = null
    setPaint(false)
    if (area && area[2] - area[0] > 1 && area[3] - area[1] > 1) setTriggerValue("painted", area)
  }
  function setPaint(on) {
    view.paint = on
    paintButton.setAttribute("aria-pressed", on)
    told.textContent = on ? data.texts.painting : ""
    if (on) {
      const { width, height } = data.left
      view.rectangle = [width * 0.375, height * 0.375, width * 0.625, height * 0.625]
    } else view.rectangle = null
    draw()
  }

  canvas.onkeydown = (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    const move = moves[event.key]
    const pane = view.panes[0]
    if (view.paint && view.rectangle && move) {
      const [dx, dy] = [(move[0] * data.left.width) / 32, (move[1] * data.left.height) / 32]
      const [x0, y0, x1, y1] = view.rectangle
      view.rectangle = inside(event.shiftKey
        ? [x0, y0, Math.max(x0 + 4, x1 + dx), Math.max(y0 + 4, y1 + dy)] : [x0 + dx, y0 + dy, x1 + dx, y1 + dy])
      draw()
    } else if (view.paint && event.key === "Enter") paint()
    else if (view.paint && event.key === "Escape") setPaint(false)
    else if (event.key === "+" || event.key === "=") middle(1.4)
    else if (event.key === "-") middle(1 / 1.4)
    else if (event.key === "0") { view.panes.forEach(reset); draw() }
    else if (move && pane.zoom > 1) {
      pane.x += (move[0] * 0.15 * pane.width) / pane.zoom
      pane.y += (move[1] * 0.15 * pane.height) / pane.zoom
      clamp(pane)
      follow(pane)
      draw()
    } else if ((event.key === "n" || event.key === "p") && data.matches.length) {
      const count = data.matches.length
      const from = view.chosen ?? (event.key === "n" ? -1 : count)
      choose((from + (event.key === "n" ? 1 : -1) + count) % count)
    } else return
    event.preventDefault()
  }

  bench.name(box, data.texts)
  box.querySelectorAll(".tools button").forEach((button) => {
    button.onclick = () => {
      if (button.dataset.do === "in") middle(1.6)
      else if (button.dataset.do === "out") middle(1 / 1.6)
      else if (button.dataset.do === "paint") { setPaint(!view.paint); canvas.focus({ preventScroll: true }) }
      else { view.panes.forEach(reset); draw() }
    }
  })
  if (!view.paint) told.textContent = ""

  if (!view.watcher) {
    view.watcher = new ResizeObserver(() => view.draw())
    view.watcher.observe(box)
  }
  draw()
  return () => { view.watcher.disconnect(); pairs.delete(box) }
}
