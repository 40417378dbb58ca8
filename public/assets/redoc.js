// Shows the API description in Redoc; asks for an access token when the description is for staff.
const start = async () => {
  let answer = await fetch("/openapi.json");
  if (answer.status === 401) {
    const token = window.prompt("This documentation is for staff. Paste an access token:") ?? "";
    answer = await fetch("/openapi.json", { headers: { Authorization: `Bearer ${token}` } });
  }
  window.Redoc.init(await answer.json(), { disableSearch: true, hideDownloadButtons: true }, document.getElementById("api"));
};
start();
