using InstructTune.Dataset;
using InstructTune.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("instructtune.dataset");
builder.AddDataset();
var app = builder.Build();
app.MapServiceDefaults();
app.MapDataset();
await app.RunAsync();
