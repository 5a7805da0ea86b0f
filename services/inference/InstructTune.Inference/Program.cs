using InstructTune.Hosting;
using InstructTune.Inference;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("instructtune.inference");
builder.AddInference();
var app = builder.Build();
app.MapServiceDefaults();
app.MapInference();
await app.RunAsync();
