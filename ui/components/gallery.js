// Pictures in a grid: each a button, arrow keys move between them, optional further actions below.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".gallery")
  const signature = JSON.stringify(data)
  if (root.dataset.signature === signature) return
  root.dataset.signature = signature
  root.style.setProperty("--columns", data.columns)
  root.style.setProperty("--small", data.small)
  root.style.setProperty("--ratio", data.ratio)
  root.classList.toggle("sharp", data.sharp)
  root.setAttribute("aria-label", data.label)

  const tiles = data.items.map((item) => {
    const tile = document.createElement("li")
    const button = document.createElement("button")
    button.type = "button"
    button.title = item.title
    button.setAttribute("aria-label", item.alt)
    const image = document.createElement("img")
    image.loading = "lazy"
    image.decoding = "async"
    image.alt = ""
    image.src = item.url
    image.onerror = () => button.classList.add("missing")
    button.append(image)
    button.onclick = () => setTriggerValue("picked", { id: item.id, action: data.action })
    tile.append(button)
    if (item.share !== undefined) {
      const bar = document.createElement("span")
      bar.className = "bar"
      bar.style.setProperty("--share", item.share)
      tile.append(bar)
    }
    const line = document.createElement("div")
    line.className = "line"
    for (const key of ["rank", "caption", "score"]) {
      if (item[key] === undefined) continue
      const part = document.createElement("span")
      part.className = key
      part.textContent = item[key]
      line.append(part)
    }
    if (line.childNodes.length) tile.append(line)
    if (data.actions.length || item.download) {
      const actions = document.createElement("div")
      actions.className = "actions"
      for (const [action, text] of data.actions) {
        const more = document.createElement("button")
        more.type = "button"
        more.textContent = text
        more.setAttribute("aria-label", `${text}: ${item.alt}`)
        more.onclick = () => setTriggerValue("picked", { id: item.id, action })
        actions.append(more)
      }
      if (item.download) {
        const link = document.createElement("a")
        link.href = item.download
        link.download = ""
        link.textContent = "Download"
        link.setAttribute("aria-label", `Download: ${item.alt}`)
        actions.append(link)
      }
      tile.append(actions)
    }
    return tile
  })
  root.replaceChildren(...tiles)

  root.onkeydown = (event) => {
    const buttons = [...root.querySelectorAll("li > button")]
    const at = buttons.indexOf(parentElement.activeElement ?? document.activeElement)
    if (at < 0) return
    const columns = getComputedStyle(root).gridTemplateColumns.split(" ").length
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key]
    const next = buttons[at + step]
    if (step === undefined || !next) return
    event.preventDefault()
    next.focus()
  }
}
