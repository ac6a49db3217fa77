// Times in the reader's own zone, with UTC on hover. Without this file they are in UTC.
const day = { year: "numeric", month: "short", day: "numeric" };
const minute = { ...day, hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const [days, minutes] = [day, minute].map((parts) => new Intl.DateTimeFormat(undefined, parts));
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  time.title ||= time.textContent;
  time.textContent = (time.className === "day" ? days : minutes).format(at);
}
// What still runs is looked at again; without this file a person follows the link beside it.
const running = document.querySelector("[data-look-again]");
if (running) setTimeout(() => location.reload(), 1000 * running.dataset.lookAgain);
