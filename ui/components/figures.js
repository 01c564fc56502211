// Drawings in SVG side by side. Where something can be picked, a click picks it; by keys, arrows
// move a cross and Enter picks what lies below it.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".figures")
  root.style.setProperty("--least", `${data.width}px`)
  root.style.setProperty("--most", `${Math.round(data.width * 1.6 * data.items.length)}px`)
  const space = "http://www.w3.org/2000/svg"
  const round = (value) => Math.round(value * 100) / 100

  data.items.forEach((item, i) => {
    let figure = root.children[i]
    if (!figure) {
      figure = document.createElement("figure")
      const drawn = document.createElementNS(space, "svg")
      drawn.setAttribute("role", "img")
      figure.append(drawn, document.createElement("figcaption"))
      root.append(figure)
    }
    const [svg, caption] = figure.children
    const [left, top, width, height] = item.box
    const signature = JSON.stringify(item)
    if (figure.dataset.signature !== signature) {
      figure.dataset.signature = signature
      svg.setAttribute("aria-label", item.label)
      svg.setAttribute("viewBox", item.box.join(" "))
      svg.innerHTML = item.svg
      caption.textContent = item.caption
      svg.classList.toggle("picks", item.step > 0)
      if (item.step > 0) svg.setAttribute("tabindex", "0")
      else svg.removeAttribute("tabindex")
    }
    if (!item.step) return

    let at = item.start ?? [left + width / 2, top + height / 2]
    let cross = svg.querySelector(".cross") // what an earlier run drew
    const pick = (x, y) => setTriggerValue("picked", [i, round(x), round(y)])
    svg.onclick = (event) => {
      const { x, y } = new DOMPoint(event.clientX, event.clientY)
        .matrixTransform(svg.getScreenCTM().inverse())
      pick(x, y)
    }
    svg.onblur = () => { cross?.remove(); cross = null }
    svg.onkeydown = (event) => {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
      const move = moves[event.key]
      if (move) {
        const far = event.shiftKey ? 10 : 1
        at = [
          Math.min(left + width, Math.max(left, at[0] + move[0] * item.step * far)),
          Math.min(top + height, Math.max(top, at[1] + move[1] * item.step * far)),
        ]
        if (!cross) {
          cross = document.createElementNS(space, "path")
          cross.setAttribute("class", "cross")
          svg.append(cross)
        }
        const arm = width / 14
        cross.setAttribute("d", `M${at[0] - arm} ${at[1]}h${2 * arm}M${at[0]} ${at[1] - arm}v${2 * arm}`)
      } else if (event.key === "Enter" || event.key === " ") pick(...at)
      else return
      event.preventDefault()
    }
  })
  while (root.children.length > data.items.length) root.lastChild.remove()
}
