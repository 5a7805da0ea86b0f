using InstructTune.Hosting;
using InstructTune.Trainer;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("instructtune.trainer");
builder.AddTrainer();
var app = builder.Build();
app.MapServiceDefaults();
app.MapTrainer();
await app.RunAsync();
