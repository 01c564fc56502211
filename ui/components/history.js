// The browser's history and links, for all components of a page: each of their files begins with
// this text, and the first to run sets it up.
const bench = (window.visword ??= (() => {
  const scroller = () => document.querySelector("[data-testid=stMain]")
  const listen = (kinds, act) => {
    for (const kind of kinds) window.addEventListener(kind, act, { capture: true, passive: true })
  }

  // A click on a link to a page of this app is one step in the history, and no reload: Streamlit
  // takes every popstate as the order to show what the address says.
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

  // A text from Python, with what stands in its {places}.
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place)

  // The buttons of a picture with zoom: those that show a sign are named besides.
  function name(box, texts) {
    for (const button of box.querySelectorAll(".tools button")) {
      const kind = button.dataset.do
      if (kind === "in" || kind === "out") button.setAttribute("aria-label", texts[kind])
      else button.textContent = texts[kind]
      if (kind === "fit") button.setAttribute("aria-label", texts.whole)
    }
    box.querySelector(".tools").hidden = false // not before: a button without a name is a fault
  }

  // The links below a picture, each named by what it shows too.
  function actions(item, of) {
    const line = document.createElement("div")
    line.className = "actions"
    for (const [text, href] of item.more) {
      const link = document.createElement("a")
      link.href = href
      link.textContent = text
      link.setAttribute("aria-label", fill(of, { what: text, name: item.alt }))
      link.onclick = follow
      line.append(link)
    }
    return line
  }

  // Whoever goes back finds the page where it was left: once its pictures have their places, it is
  // scrolled there, unless its reader has begun to scroll.
  let wanted = null
  window.addEventListener("popstate", (event) => {
    wanted = event.state?.top ? { top: event.state.top, end: performance.now() + 3000 } : null
  })
  listen(["wheel", "touchmove", "keydown", "pointerdown"], () => { wanted = null })
  function scrollBack() {
    if (!wanted) return
    const main = scroller()
    if (main && main.scrollHeight - main.clientHeight >= wanted.top) {
      main.scrollTop = wanted.top
      wanted = null
    } else if (performance.now() < wanted.end) requestAnimationFrame(scrollBack)
  }

  // When a page begins to run, Streamlit writes its path into the address. For someone who has
  // gone back or forward meanwhile that is the page they left: it would cut off the steps ahead.
  let gone = false
  window.addEventListener("popstate", () => { gone = true })
  listen(["pointerdown", "keydown", "click"], () => { gone = false })
  const push = window.history.pushState
  window.history.pushState = function (state, title, address) {
    const path = new URL(address ?? "", window.location.href).pathname
    if (!gone || path === window.location.pathname) push.call(window.history, state, title, address)
  }
  return { actions, fill, follow, name, scrollBack }
})())

