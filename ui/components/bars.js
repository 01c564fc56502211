// Numbers as bars, light enough to stand at once; the value of a bar on hover.
export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".bars")
  const top = Math.max(...data.values, 1)
  root.setAttribute("role", "img") // with its name at once: an image without one is a fault
  root.setAttribute("aria-label", data.label)
  const bars = data.values.map((value, i) => {
    const bar = document.createElement("span")
    const told = { low: data.ends[i], high: data.ends[i + 1], n: value.toLocaleString() }
    bar.title = bench.fill(data.texts.bar, told)
    bar.style.setProperty("--share", value / top)
    return bar
  })
  root.querySelector(".plot").replaceChildren(...bars)
  root.querySelector(".most").textContent = top.toLocaleString()
  root.querySelector(".what").textContent = data.what
  root.querySelector(".low").textContent = data.ends[0]
  root.querySelector(".high").textContent = data.ends[data.ends.length - 1]
  root.querySelector(".name").textContent = data.name
}
