// A table whose cells may be links: one click is one step in the history.
export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".scroll")
  const signature = JSON.stringify(data)
  if (root.dataset.signature === signature) return
  root.dataset.signature = signature
  root.setAttribute("aria-label", data.label)

  const fill = (place, cell) => {
    let into = place
    if (cell.href) {
      into = document.createElement("a")
      into.href = cell.href
      into.onclick = bench.follow
      if (cell.label) into.setAttribute("aria-label", cell.label)
      place.append(into)
    }
    if (cell.image) {
      const image = document.createElement("img")
      image.alt = ""
      image.loading = "lazy"
      image.src = cell.image
      image.onerror = () => image.remove()
      into.append(image)
    }
    if (cell.marks?.length) {
      const signs = document.createElement("span")
      signs.className = "signs"
      signs.setAttribute("role", "img")
      signs.setAttribute("aria-label", cell.text)
      signs.append(...cell.marks.map(sign))
      into.append(signs)
    } else into.append(cell.text)
    if (cell.note) {
      const note = document.createElement("div")
      note.className = "note"
      note.textContent = cell.note
      place.append(note)
    }
  }

  const table = document.createElement("table")
  const heading = table.createTHead().insertRow()
  data.heading.forEach((text, i) => {
    const cell = document.createElement("th")
    cell.scope = "col"
    cell.textContent = text
    if (data.numbers[i]) cell.className = "number"
    heading.append(cell)
  })
  const body = table.createTBody()
  for (const row of data.rows) {
    const line = body.insertRow()
    if (row.chosen) line.className = "chosen"
    row.cells.forEach((cell, i) => {
      const place = document.createElement(i ? "td" : "th")
      if (!i) place.scope = "row"
      if (data.numbers[i]) place.className = "number"
      if (!i && row.chosen) {
        const badge = document.createElement("span")
        badge.className = "badge"
        badge.textContent = row.chosen
        place.append(badge)
      }
      fill(place, cell)
      line.append(place)
    })
  }
  root.replaceChildren(table)
  requestAnimationFrame(bench.scrollBack)
  return () => {
    // Pictures still on their way would keep those of the next page waiting.
    for (const image of root.querySelectorAll("img")) {
      image.onerror = null
      if (!image.complete) image.removeAttribute("src")
    }
  }
}
