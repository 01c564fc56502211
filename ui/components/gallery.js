// Pictures in a grid: each a link, arrow keys move between them, optional further links below.
export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".gallery")
  root.querySelectorAll(".going").forEach((picture) => picture.classList.remove("going"))
  const signature = JSON.stringify(data)
  if (root.dataset.signature === signature) return
  root.dataset.signature = signature
  root.style.setProperty("--columns", data.columns)
  root.style.setProperty("--small", data.small)
  root.style.setProperty("--ratio", data.ratio)
  root.classList.toggle("sharp", data.sharp)
  root.setAttribute("aria-label", data.label)

  const tiles = data.items.flatMap((item) => {
    const tile = document.createElement("li")
    const picture = document.createElement("a")
    picture.className = "picture"
    picture.href = item.href
    picture.title = item.title
    picture.setAttribute("aria-label", item.alt)
    const image = document.createElement("img")
    image.loading = "lazy"
    image.decoding = "async"
    image.alt = ""
    image.src = item.url
    image.onerror = () => picture.classList.add("missing")
    picture.append(image)
    picture.onclick = (event) => {
      bench.follow(event)
      // A sign of life, until the next page is there.
      if (event.defaultPrevented) picture.classList.add("going")
    }
    tile.append(picture)
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
    if (item.note) {
      const note = document.createElement("div")
      note.className = "note"
      note.textContent = item.note
      tile.append(note)
    }
    if (item.mark) {
      tile.dataset.mark = item.mark
      tile.append(marked(item.mark, item.told ?? data.texts.kinds[item.mark]))
    } else if (item.told) {
      const told = document.createElement("div")
      told.className = "marked quiet"
      told.textContent = item.told
      tile.append(told)
    }
    if (item.more.length || item.download) {
      const actions = bench.actions(item, data.texts.of)
      if (item.download) {
        const link = document.createElement("a")
        link.href = item.download
        link.download = ""
        link.textContent = data.texts.download
        const named = { what: data.texts.download, name: item.alt }
        link.setAttribute("aria-label", bench.fill(data.texts.of, named))
        actions.append(link)
      }
      tile.append(actions)
    }
    if (!item.above) return [tile]
    const above = document.createElement("li")
    above.className = "above"
    above.textContent = item.above
    return [above, tile]
  })
  const focused = root.contains(parentElement.activeElement)
  forget(root)
  root.replaceChildren(...tiles)
  if (focused) root.querySelector("a.picture")?.focus({ preventScroll: true })
  requestAnimationFrame(bench.scrollBack)

  root.onkeydown = (event) => {
    const pictures = [...root.querySelectorAll("li > a")]
    const at = pictures.indexOf(parentElement.activeElement ?? document.activeElement)
    if (at < 0) return
    const columns = getComputedStyle(root).gridTemplateColumns.split(" ").length
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key]
    const next = pictures[at + step]
    if (step === undefined || !next) return
    event.preventDefault()
    next.focus()
  }
  return () => forget(root)
}

// Pictures still on their way when their page is left would keep those of the next one waiting.
function forget(root) {
  for (const image of root.querySelectorAll("img")) {
    image.onerror = null
    if (!image.complete) image.removeAttribute("src")
  }
}
