// Right, wrong, ignored: told by a sign and a word, and by colour beside them.
const KINDS = { right: ["✓", "right"], wrong: ["✕", "wrong"], junk: ["–", "ignored"] }

function sign(kind) {
  const part = document.createElement("span")
  part.className = `sign ${kind}`
  part.textContent = KINDS[kind][0]
  part.setAttribute("aria-hidden", "true")
  return part
}

function marked(kind) {
  const line = document.createElement("div")
  line.className = "marked"
  line.append(sign(kind), KINDS[kind][1])
  return line
}

