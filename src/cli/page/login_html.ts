/** What somebody without the token sees. */
export function loginHtml(isWrong: boolean): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>brokkr: token</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<main>
<h1>This page needs its token</h1>
${isWrong ? '<p role="alert">That is not the token.</p>\n' : ""}<form action="/" method="get">
<p><label for="token">Token</label> <input id="token" name="token" type="password" autocomplete="off" required></p>
<p><button>Open the page</button></p>
</form>
<p>It is what --page-token-file or BROKKR_PAGE_TOKEN gave to the broker.</p>
</main>
</body>
</html>
`;
}
