// One picture over another of the same size: a line that is moved parts them, a button swaps them,
// another swaps them again and again.
const BEAT = 800 // milliseconds
export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".overlay")
  const stage = root.querySelector(".stage")
  const [below, above] = stage.querySelectorAll("img")
  const range = root.querySelector("input")
  const [swapping, blinking] = root.querySelectorAll("button")
  const told = root.querySelector(".state")

  swapping.textContent = data.texts.swap
  blinking.textContent = data.texts.blink
  root.querySelector(".tools").hidden = false
  stage.style.setProperty("--ratio", `${data.width} / ${data.height}`)
  range.setAttribute("aria-label", bench.fill(data.texts.share, { name: data.name_above }))
  const show = () => {
    stage.style.setProperty("--share", `${range.value}%`)
    stage.dataset.share = range.value
    told.textContent = { 0: data.name_below, 100: data.name_above }[range.value]
      ?? bench.fill(data.texts.parted, { above: data.name_above, below: data.name_below })
  }
  const load = (image, url, alt) => {
    image.alt = alt
    if (image.dataset.url === url) return
    image.dataset.url = url
    image.onerror = () => { told.textContent = data.texts.failed }
    image.src = url
  }
  load(below, data.below, data.name_below)
  load(above, data.above, data.name_above)
  const swap = () => {
    range.value = Number(range.value) > 50 ? 0 : 100
    show()
  }
  const blink = (on) => {
    clearInterval(root.beat)
    root.beat = on ? setInterval(swap, BEAT) : undefined
    blinking.setAttribute("aria-pressed", on)
    told.setAttribute("aria-live", on ? "off" : "polite") // nobody wants to hear every beat
  }
  range.oninput = () => { blink(false); show() }
  swapping.onclick = () => { blink(false); swap() }
  blinking.onclick = () => blink(root.beat === undefined)
  show()
  return () => {
    blink(false)
    for (const image of [below, above]) {
      image.onerror = null
      if (!image.complete) image.removeAttribute("src")
    }
  }
}
