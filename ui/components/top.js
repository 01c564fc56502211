// Whoever goes to another place begins at its start; a rerun of the same place moves nothing.
export default ({ data }) => {
  const known = window.viswordPlace
  window.viswordPlace = data.place
  const main = document.querySelector("[data-testid=stMain]")
  if (known !== undefined && known !== data.place && main) main.scrollTop = 0
}
