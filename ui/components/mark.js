// Right, wrong, ignored: told by a sign and a word, and by colour beside them.
const KINDS = { right: "✓", wrong: "✕", junk: "–" }
const SIGNS = { ...KINDS, both: "=" } // of pictures that stand in another gallery too

function sign(kind) {
  const part = document.createElement("span")
  part.className = `sign ${kind}`
  part.textContent = SIGNS[kind]
  part.setAttribute("aria-hidden", "true")
  return part
}

function marked(kind, word) {
  const line = document.createElement("div")
  line.className = "marked"
  line.append(sign(kind), word)
  return line
}

