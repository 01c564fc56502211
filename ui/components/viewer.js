// A picture with its keypoints on a canvas: wheel, pinch, drag and keys move it, a click picks.
// The place looked at is kept for as long as the same picture is shown.
const views = new WeakMap()

// Six float32 a keypoint, then three bytes of colour a keypoint: see ui/keypoints.py.
function unpack(bytes) {
  const count = Math.floor(bytes.byteLength / 27)
  const numbers = new Float32Array(bytes, 0, count * 6)
  const rgb = new Uint8Array(bytes, count * 24)
  const column = (place) => (i) => numbers[i * 6 + place]
  return {
    count,
    x: column(0), y: column(1), size: column(2), angle: column(3), response: column(4), word: column(5),
    colour: (i) => `rgb(${rgb[i * 3]},${rgb[i * 3 + 1]},${rgb[i * 3 + 2]})`,
  }
}

// Fetch the keypoints of a picture once; what is chosen among them comes without them.
async function fetchPoints(view, address, box, texts) {
  view.address = address
  delete box.dataset.points
  const told = box.querySelector(".state")
  const tell = (text) => { if (view.address === address) told.textContent = text }
  const waiting = setTimeout(() => tell(texts.loading), 300)
  try {
    const answer = await fetch(address)
    if (!answer.ok) throw new Error(answer.status)
    const points = unpack(await answer.arrayBuffer())
    if (view.address !== address) return
    view.points = points
    box.dataset.points = points.count
    view.draw && view.draw()
    tell("")
  } catch {
    tell(texts.failed)
  } finally {
    clearTimeout(waiting)
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const box = parentElement.querySelector(".viewer")
  const canvas = box.querySelector("canvas")
  const tip = box.querySelector(".tip")
  let view = views.get(box)
  if (!view || view.url !== data.url) {
    view = { url: data.url, zoom: 1, x: data.width / 2, y: data.height / 2, image: new Image() }
    view.points = unpack(new ArrayBuffer(0))
    view.image.onload = () => view.draw && view.draw()
    view.image.src = data.url
    views.set(box, view)
  }
  canvas.setAttribute("role", "img") // with its name at once: an image without one is a fault
  canvas.setAttribute("aria-label", data.label)
  if (view.address !== data.points) fetchPoints(view, data.points, box, data.texts)

  const fit = () => canvas.clientWidth / data.width
  const scale = () => fit() * view.zoom
  const toScreen = (x, y) => [
    (x + 0.5 - view.x) * scale() + canvas.clientWidth / 2,
    (y + 0.5 - view.y) * scale() + canvas.clientHeight / 2,
  ]
  const clamp = () => {
    view.zoom = Math.min(40, Math.max(1, view.zoom))
    const halfX = data.width / 2 / view.zoom
    const halfY = data.height / 2 / view.zoom
    view.x = Math.min(data.width - halfX, Math.max(halfX, view.x))
    view.y = Math.min(data.height - halfY, Math.max(halfY, view.y))
  }

  const isLit = (i) => data.lit === null || view.points.word(i) === data.lit
  const isShown = (i) => i < data.shown || view.points.word(i) === data.lit

  function ring(context, i, colour, width) {
    const points = view.points
    const [x, y] = toScreen(points.x(i), points.y(i))
    const radius = Math.max(2, (points.size(i) / 2) * scale())
    if (x + radius < 0 || y + radius < 0) return
    if (x - radius > canvas.clientWidth || y - radius > canvas.clientHeight) return
    const turn = (points.angle(i) * Math.PI) / 180
    context.strokeStyle = colour
    context.lineWidth = width
    context.beginPath()
    context.arc(x, y, radius, 0, 2 * Math.PI)
    context.moveTo(x, y)
    context.lineTo(x + radius * Math.cos(turn), y + radius * Math.sin(turn))
    context.stroke()
  }

  function draw() {
    const width = canvas.clientWidth
    if (!width) return
    const height = Math.round((width * data.height) / data.width)
    const dense = window.devicePixelRatio || 1
    if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
      canvas.style.height = `${height}px`
      canvas.width = Math.round(width * dense)
      canvas.height = Math.round(height * dense)
    }
    clamp()
    box.dataset.zoom = view.zoom.toFixed(2)
    canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y"
    const context = canvas.getContext("2d")
    context.setTransform(dense, 0, 0, dense, 0, 0)
    context.clearRect(0, 0, width, height)
    const [left, top] = toScreen(-0.5, -0.5)
    context.imageSmoothingEnabled = scale() < 4
    if (view.image.complete && view.image.naturalWidth) {
      context.drawImage(view.image, left, top, data.width * scale(), data.height * scale())
    }
    for (const lit of [false, true]) {
      context.globalAlpha = lit ? 1 : 0.25
      for (let i = 0; i < view.points.count; i++) {
        if (isLit(i) !== lit || !isShown(i)) continue
        if (lit) ring(context, i, "rgba(20,20,20,0.75)", 3)
        ring(context, i, view.points.colour(i), 1.4)
      }
    }
    context.globalAlpha = 1
    if (data.chosen !== null && data.chosen < view.points.count) {
      ring(context, data.chosen, "#141414", 6)
      ring(context, data.chosen, "#ffffff", 3)
    }
  }
  view.draw = draw

  function nearest(event) {
    const rect = canvas.getBoundingClientRect()
    const mx = event.clientX - rect.left
    const my = event.clientY - rect.top
    let best = -1
    let least = 14
    for (let i = 0; i < view.points.count; i++) {
      if (!isLit(i) || !isShown(i)) continue
      const [x, y] = toScreen(view.points.x(i), view.points.y(i))
      const distance = Math.hypot(x - mx, y - my)
      if (distance < least) [least, best] = [distance, i]
    }
    return best
  }

  function describe(i) {
    const points = view.points
    const response = points.response(i).toLocaleString(undefined, { maximumFractionDigits: 0 })
    const size = points.size(i).toFixed(0)
    return bench.fill(data.texts.point, { word: points.word(i), size, response })
  }

  function zoomAt(factor, mx, my) {
    const before = scale()
    const imageX = (mx - canvas.clientWidth / 2) / before + view.x
    const imageY = (my - canvas.clientHeight / 2) / before + view.y
    view.zoom = Math.min(40, Math.max(1, view.zoom * factor))
    view.x = imageX - (mx - canvas.clientWidth / 2) / scale()
    view.y = imageY - (my - canvas.clientHeight / 2) / scale()
    draw()
  }
  const middle = (factor) => zoomAt(factor, canvas.clientWidth / 2, canvas.clientHeight / 2)

  canvas.onwheel = (event) => {
    // A plain wheel scrolls the page until the picture has been zoomed by a key or button.
    if (!event.ctrlKey && view.zoom <= 1 && document.activeElement !== canvas
        && parentElement.activeElement !== canvas) return
    if (!event.ctrlKey && view.zoom <= 1 && event.deltaY > 0) return
    event.preventDefault()
    const rect = canvas.getBoundingClientRect()
    zoomAt(Math.exp(-event.deltaY / 300), event.clientX - rect.left, event.clientY - rect.top)
  }

  const fingers = new Map()
  let moved = 0
  canvas.onpointerdown = (event) => {
    canvas.focus({ preventScroll: true })
    canvas.setPointerCapture(event.pointerId)
    fingers.set(event.pointerId, [event.clientX, event.clientY])
    moved = 0
  }
  canvas.onpointermove = (event) => {
    const last = fingers.get(event.pointerId)
    if (!last) {
      const i = nearest(event)
      tip.hidden = i < 0
      canvas.style.cursor = i < 0 ? "grab" : "pointer"
      if (i >= 0) {
        tip.textContent = describe(i)
        const [x, y] = toScreen(view.points.x(i), view.points.y(i))
        tip.style.left = `${Math.max(0, Math.min(x + 10, canvas.clientWidth - tip.offsetWidth))}px`
        tip.style.top = `${Math.max(0, y - 34)}px`
      }
      return
    }
    const dx = event.clientX - last[0]
    const dy = event.clientY - last[1]
    moved += Math.abs(dx) + Math.abs(dy)
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place)
    if (others.length) {
      const span = (place) => Math.hypot(place[0] - others[0][0], place[1] - others[0][1])
      const rect = canvas.getBoundingClientRect()
      const now = [event.clientX, event.clientY]
      zoomAt(span(now) / Math.max(1, span(last)), (now[0] + others[0][0]) / 2 - rect.left,
        (now[1] + others[0][1]) / 2 - rect.top)
    } else {
      view.x -= dx / scale()
      view.y -= dy / scale()
      draw()
    }
    fingers.set(event.pointerId, [event.clientX, event.clientY])
  }
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    const single = fingers.size === 1
    fingers.delete(event.pointerId)
    if (event.type === "pointerup" && single && moved < 6) {
      const i = nearest(event)
      if (i >= 0) setTriggerValue("picked", i)
    }
  }
  canvas.onpointerleave = () => { tip.hidden = true }
  canvas.ondblclick = () => { view.zoom = 1; draw() }

  canvas.onkeydown = (event) => {
    const step = 0.15 / view.zoom
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    if (event.key === "+" || event.key === "=") middle(1.4)
    else if (event.key === "-") middle(1 / 1.4)
    else if (event.key === "0") { view.zoom = 1; draw() }
    else if (moves[event.key] && view.zoom > 1) {
      view.x += moves[event.key][0] * step * data.width
      view.y += moves[event.key][1] * step * data.height
      draw()
    } else if ((event.key === "n" || event.key === "p") && data.shown) {
      const count = data.shown // their number is known before they arrive
      const at = data.chosen ?? (event.key === "n" ? -1 : count)
      setTriggerValue("picked", (at + (event.key === "n" ? 1 : -1) + count) % count)
    } else return
    event.preventDefault()
  }

  bench.name(box, data.texts)
  box.querySelectorAll(".tools button").forEach((button) => {
    button.onclick = () => {
      if (button.dataset.do === "in") middle(1.6)
      else if (button.dataset.do === "out") middle(1 / 1.6)
      else { view.zoom = 1; draw() }
    }
  })

  if (!view.watcher) {
    view.watcher = new ResizeObserver(() => view.draw())
    view.watcher.observe(box)
  }
  draw()
  return () => { view.watcher.disconnect(); views.delete(box) }
}
