// Pictures to be marked: three buttons each; the picture itself is the button for "right".
export default function (component) {
  const { data, parentElement, setStateValue } = component
  const root = parentElement.querySelector(".gallery")
  // What was marked here stays, whatever older state a rerun brings; a new version begins again.
  if (root.dataset.version !== data.version) {
    root.dataset.version = data.version
    root.marks = { ...data.marks }
    delete root.dataset.signature
  }
  const texts = data.texts
  const signature = JSON.stringify([data.items, data.label, texts])
  if (root.dataset.signature === signature) return
  root.dataset.signature = signature
  root.style.setProperty("--columns", 5)
  root.style.setProperty("--small", 2)
  root.style.setProperty("--ratio", "4 / 3")
  root.setAttribute("aria-label", data.label)

  const tiles = data.items.map((item) => {
    const tile = document.createElement("li")
    const picture = document.createElement("button")
    picture.type = "button"
    picture.className = "picture"
    picture.title = bench.fill(texts.click, { name: item.title })
    picture.setAttribute("aria-label", bench.fill(texts.right, { name: item.alt }))
    const image = document.createElement("img")
    image.loading = "lazy"
    image.alt = ""
    image.src = item.url
    image.onerror = () => picture.classList.add("missing")
    picture.append(image)
    const line = document.createElement("div")
    line.className = "line"
    for (const key of ["rank", "caption", "score"]) {
      const part = document.createElement("span")
      part.className = key
      part.textContent = item[key] ?? ""
      line.append(part)
    }
    const buttons = document.createElement("div")
    buttons.className = "buttons"
    buttons.setAttribute("role", "group")
    buttons.setAttribute("aria-label", bench.fill(texts.mark, { name: item.alt }))

    const show = () => {
      const mark = root.marks[item.id]
      if (mark) tile.dataset.mark = mark
      else delete tile.dataset.mark
      picture.setAttribute("aria-pressed", String(mark === "right"))
      for (const button of buttons.children) {
        button.setAttribute("aria-pressed", String(button.dataset.kind === mark))
      }
    }
    const toggle = (kind) => {
      if (root.marks[item.id] === kind) delete root.marks[item.id]
      else root.marks[item.id] = kind
      show()
      setStateValue("marks", { version: data.version, marks: { ...root.marks } })
    }
    picture.onclick = () => toggle("right")
    for (const kind of Object.keys(KINDS)) {
      const button = document.createElement("button")
      button.type = "button"
      button.dataset.kind = kind
      const word = document.createElement("span")
      word.textContent = texts.kinds[kind]
      button.append(sign(kind), word)
      button.onclick = () => toggle(kind)
      buttons.append(button)
    }
    show()
    tile.append(picture, line, buttons, bench.actions(item, texts.of))
    return tile
  })
  root.replaceChildren(...tiles)
  requestAnimationFrame(bench.scrollBack)
  return () => {
    for (const image of root.querySelectorAll("img")) {
      image.onerror = null
      if (!image.complete) image.removeAttribute("src")
    }
  }
}
