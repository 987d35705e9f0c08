// Loads Talk once its markup is there.
import(new URL("talk/talk.js", document.baseURI)).then(({ mount }) => mount(element), () => {
  const trouble = element.querySelector(".talk-trouble");
  trouble.textContent = "Talk could not be loaded. See whether the server still runs, then reload the page.";
  trouble.hidden = false;
  element.querySelector(".talk-phase").textContent = "Not loaded";
});
