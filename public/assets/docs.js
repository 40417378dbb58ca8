// Shows the API description in Swagger UI; asks for an access token when the description is for staff.
const start = async () => {
  let token = "";
  const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});
  let answer = await fetch("/openapi.json");
  if (answer.status === 401) {
    token = window.prompt("This documentation is for staff. Paste an access token:") ?? "";
    answer = await fetch("/openapi.json", { headers: headers() });
  }
  window.SwaggerUIBundle({ dom_id: "#api", spec: await answer.json(), deepLinking: true, validatorUrl: null });
};
start();
