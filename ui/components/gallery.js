// Pictures in a grid: each a link, arrow keys move between them, optional further links below.

// A click on a link to a page of this app is one step in the browser's history, and no reload:
// Streamlit takes every popstate as the order to show what the address says.
function follow(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  const address = event.currentTarget.href
  if (address !== window.location.href) {
    window.history.replaceState({ ...window.history.state, top: scroller()?.scrollTop }, "")
    window.history.pushState({}, "", address)
  }
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }))
}

// Whoever goes back finds the page where it was left: once its pictures have their places, it is
// scrolled there, unless its reader has begun to scroll.
const scroller = () => document.querySelector("[data-testid=stMain]")
let wanted = null
window.addEventListener("popstate", (event) => {
  wanted = event.state?.top ? { top: event.state.top, end: performance.now() + 3000 } : null
})
for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  window.addEventListener(kind, () => { wanted = null }, { capture: true, passive: true })
}
function scrollBack() {
  if (!wanted) return
  const main = scroller()
  if (main && main.scrollHeight - main.clientHeight >= wanted.top) {
    main.scrollTop = wanted.top
    wanted = null
  } else if (performance.now() < wanted.end) requestAnimationFrame(scrollBack)
}

export default function (component) {
  const { data, parentElement } = component
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
    picture.onclick = follow
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
    if (item.more.length || item.download) {
      const actions = document.createElement("div")
      actions.className = "actions"
      for (const [text, href] of item.more) {
        const more = document.createElement("a")
        more.href = href
        more.textContent = text
        more.setAttribute("aria-label", `${text}: ${item.alt}`)
        more.onclick = follow
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
  requestAnimationFrame(scrollBack)

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
}
