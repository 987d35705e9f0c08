// Begins Talk once its markup is there.
import(new URL("talk/talk.js", document.baseURI)).then(({ mount }) => mount(element));
